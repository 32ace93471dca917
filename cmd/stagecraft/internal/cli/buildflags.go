package cli

import (
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// engineCertsEnv names the directory of certificates for a daemon.
const engineCertsEnv = "STAGECRAFT_ENGINE_CERTS"

// builderFlags are the user's settings for image builds. They override what a
// provider requests.
type builderFlags struct {
	Engine      string   `placeholder:"ENGINE" help:"The engine: auto, docker, embedded, buildkit+tcp://HOST:PORT or buildkit+unix:///PATH; default build.engine of stagecraft.yml, then auto."`
	EngineCerts string   `placeholder:"DIR" help:"Directory with ca.pem, cert.pem and key.pem for a daemon; default STAGECRAFT_ENGINE_CERTS."`
	Platform    []string `placeholder:"PLATFORM" help:"Platforms of the image, such as linux/arm64; repeatable."`
	Load        bool     `help:"Also load the image into the Docker engine."`
	Output      []string `short:"o" sep:"none" placeholder:"oci:DIR|tar:FILE" help:"Write the image to a directory or file; repeatable."`
	Base        []string `sep:"none" placeholder:"REF=oci:DIR" help:"Take a base image from an OCI layout instead of its registry; repeatable."`
	NoCache     bool     `help:"Do not use cached steps."`
	Pull        bool     `help:"Look for newer base images."`
}

// progressFlag is for commands that build, and do not only plan.
type progressFlag struct {
	Progress string `enum:"auto,plain,tty,quiet,rawjson" default:"auto" help:"How to show progress: auto, plain, tty, quiet or rawjson."`
}

// complete adds the settings that a build uses and a plan does not.
func (f progressFlag) complete(a *app, o *session.BuildSettings) {
	o.Progress, o.Machine, o.Verbose = f.Progress, machine(userDirectories(a.Environ).machine), a.grammar.Verbose
}

// settings returns the settings of a run; further has all references but the first.
func (f builderFlags) settings(a *app, further []string) (session.BuildSettings, error) {
	_, err := a.setting(engineCertsEnv)
	return session.BuildSettings{
		Engine: f.Engine, EngineCerts: f.EngineCerts, Tags: further, Platforms: f.Platform, Outputs: f.Output, Bases: f.Base,
		Load: f.Load, NoCache: f.NoCache, Pull: f.Pull, Epoch: a.getenv("SOURCE_DATE_EPOCH"),
	}, err
}

// first and further split references: a provider gets only the first.
func first(tags []string) string { return strings.Join(tags[:min(len(tags), 1)], "") }

func further(tags []string) []string { return tags[min(len(tags), 1):] }

// machine returns a random name for this machine, which is kept in a file, or ""
// if it cannot be kept.
func machine(file string) string {
	if file == "" {
		return ""
	}
	if f, err := safefile.OpenOwn(file); err == nil {
		defer f.Close()
		kept, err := io.ReadAll(io.LimitReader(f, 1000))
		if name := strings.TrimSpace(string(kept)); err == nil && name != "" {
			return name
		}
	}
	name := rand.Text()
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil || atomicfile.Write(file, []byte(name+"\n")) != nil {
		return ""
	}
	return name
}
