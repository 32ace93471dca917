package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (versionCmd) Help() string {
	return `Examples:
  stagecraft version
  stagecraft --version
  stagecraft version --json`
}

type versionJSON struct {
	Version string `json:"version"`
	ABI     int    `json:"abi"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Run is called by kong.
func (c versionCmd) Run(a *app) error {
	v := versionJSON{moduleVersion(), abi.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
	return a.printer.resultAs(c.JSON, v, versionText()+"\n")
}

func versionText() string {
	return fmt.Sprintf("stagecraft %s (ABI %d, %s, %s/%s)", moduleVersion(), abi.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// moduleVersion returns the version that the go command wrote into the binary, or
// (devel).
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// built is when this program was built, by its commit; zero if unknown.
func built() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.time" })
	if i < 0 {
		return time.Time{}
	}
	at, _ := time.Parse(time.RFC3339, info.Settings[i].Value)
	return at
}

// versions are recorded in the audit log.
func versions() map[string]string {
	return map[string]string{
		"stagecraft": moduleVersion(), "abi": strconv.Itoa(abi.Version), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
	}
}
