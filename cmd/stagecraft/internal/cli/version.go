package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (versionCmd) Help() string {
	return `Examples:
  stagecraft version
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
	if c.JSON {
		return a.printer.resultJSON(v)
	}
	return a.printer.result(fmt.Sprintf("stagecraft %s (ABI %d, %s, %s/%s)\n", v.Version, v.ABI, v.Go, v.OS, v.Arch))
}

// moduleVersion is what the go command wrote into the binary: the release, or
// devel for a build from a checkout.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// versions are what an audit log tells of this program.
func versions() map[string]string {
	return map[string]string{
		"stagecraft": moduleVersion(), "abi": strconv.Itoa(abi.Version), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
	}
}
