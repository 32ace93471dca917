package cli

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/runtime/wholefile"
)

// builderFlags are the user's word on how images are built, whatever a provider
// asks for.
type builderFlags struct {
	Progress string `enum:"auto,plain,tty,quiet,rawjson" default:"auto" help:"How to show what is done: ${enum}."`
	NoCache  bool   `help:"Take no step from a cache."`
	Pull     bool   `help:"Look for newer base images."`
}

func (f builderFlags) builds(a *app) hostfuncs.BuildOptions {
	if f.Progress == "auto" && a.getenv("TERM") == "dumb" {
		f.Progress = "plain"
	}
	return hostfuncs.BuildOptions{
		Mode: f.Progress, NoCache: f.NoCache, Pull: f.Pull,
		Epoch: a.getenv("SOURCE_DATE_EPOCH"), Machine: machine(userFolders(a.Environ).machine),
	}
}

// machine is a name for this machine that no other has, kept in a file; it is
// empty where it can't be kept.
func machine(file string) string {
	if file == "" {
		return ""
	}
	if name, err := os.ReadFile(file); err == nil && len(name) > 0 {
		return strings.TrimSpace(string(name))
	}
	name := rand.Text()
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil || wholefile.Write(file, []byte(name+"\n")) != nil {
		return ""
	}
	return name
}
