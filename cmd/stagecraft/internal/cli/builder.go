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

// builderFlags are the user's word on how images are built, whatever a provider
// asks for.
type builderFlags struct {
	Engine      string   `placeholder:"ENGINE" help:"What builds: auto, docker, embedded, buildkit+tcp://HOST:PORT or buildkit+unix:///PATH; default build.engine of stagecraft.yml, then auto."`
	EngineCerts string   `placeholder:"DIR" help:"Directory with ca.pem, cert.pem and key.pem for a daemon; default STAGECRAFT_ENGINE_CERTS."`
	Platform    []string `placeholder:"PLATFORM" help:"Platforms of the image, such as linux/arm64; repeatable."`
	Load        bool     `help:"Put the image into the Docker engine as well."`
	Output      []string `short:"o" sep:"none" placeholder:"oci:DIR|tar:FILE" help:"Write the image to a directory or file; repeatable."`
	Base        []string `sep:"none" placeholder:"REF=oci:DIR" help:"Take a base image from an OCI layout instead of its registry; repeatable."`
	NoCache     bool     `help:"Take no step from a cache."`
	Pull        bool     `help:"Look for newer base images."`
}

// progressFlag is for commands that build, and not only plan to.
type progressFlag struct {
	Progress string `enum:"auto,plain,tty,quiet,rawjson" default:"auto" help:"How to show what is done: auto, plain, tty, quiet or rawjson."`
}

// carriedOut adds the settings that only a build uses, and not a plan of it.
func (f progressFlag) carriedOut(a *app, o *session.BuildSettings) {
	o.Progress, o.Machine, o.Verbose = f.Progress, machine(userDirectories(a.Environ).machine), a.grammar.Verbose
}

// builds are the settings of a run; further references are all but the first.
func (f builderFlags) builds(a *app, further []string) (session.BuildSettings, error) {
	_, err := a.namedBy(engineCertsEnv)
	return session.BuildSettings{
		Engine: f.Engine, EngineCerts: f.EngineCerts, Tags: further, Platforms: f.Platform, Outputs: f.Output, Bases: f.Base,
		Load: f.Load, NoCache: f.NoCache, Pull: f.Pull, Epoch: a.getenv("SOURCE_DATE_EPOCH"),
	}, err
}

// machine is a name for this machine that no other has, kept in a file; it is
// empty where it can't be kept.
func machine(file string) string {
	if file == "" {
		return ""
	}
	if name := keptName(file); name != "" {
		return name
	}
	name := rand.Text()
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil || atomicfile.Write(file, []byte(name+"\n")) != nil {
		return ""
	}
	return name
}

// keptName is the name that a file of the user's own keeps, empty for none.
func keptName(file string) string {
	f, err := safefile.OpenOwn(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	name, err := io.ReadAll(io.LimitReader(f, 1000))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
