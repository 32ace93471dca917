package cli

import (
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/runtime/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/wholefile"
)

// builderFlags are the user's word on how images are built, whatever a provider
// asks for.
type builderFlags struct {
	Engine      string   `placeholder:"ENGINE" help:"What builds: auto, docker, embedded, buildkit+tcp://HOST:PORT or buildkit+unix:///PATH; default build.engine of stagecraft.yml, then auto."`
	EngineCerts string   `placeholder:"DIR" env:"STAGECRAFT_ENGINE_CERTS" help:"Folder with ca.pem, cert.pem and key.pem for a daemon."`
	Platform    []string `placeholder:"PLATFORM" help:"Platforms of the image, such as linux/arm64; repeatable."`
	Load        bool     `help:"Put the image into the Docker engine as well."`
	Output      []string `short:"o" sep:"none" placeholder:"oci:DIR|tar:FILE" help:"Write the image to a folder or file; repeatable."`
	Base        []string `sep:"none" placeholder:"REF=oci:DIR" help:"Take a base image from an OCI layout instead of its registry; repeatable."`
	NoCache     bool     `help:"Take no step from a cache."`
	Pull        bool     `help:"Look for newer base images."`
}

// progressFlag is for commands that build, and not only plan to.
type progressFlag struct {
	Progress string `enum:"auto,plain,tty,quiet,rawjson" default:"auto" help:"How to show what is done: auto, plain, tty, quiet or rawjson."`
}

// carriedOut adds to the options of a run what only building takes.
func (f progressFlag) carriedOut(a *app, o *hostfuncs.BuildOptions) {
	o.Mode, o.Machine = f.Progress, machine(userFolders(a.Environ).machine)
	if f.Progress == "auto" && a.getenv("TERM") == "dumb" {
		o.Mode = "plain"
	}
}

// builds are the options for a run; further references are for all but the first.
func (f builderFlags) builds(a *app, further []string) (hostfuncs.BuildOptions, error) {
	o := hostfuncs.BuildOptions{
		NoCache: f.NoCache, Pull: f.Pull, Load: f.Load, Platforms: f.Platform, Tags: further,
		Engine: hostfuncs.Engine{Certs: f.EngineCerts},
		Epoch:  a.getenv("SOURCE_DATE_EPOCH"),
	}
	if f.Engine != "" {
		engine, err := hostfuncs.ParseEngine(f.Engine, f.EngineCerts)
		if err != nil {
			return o, &usageError{"--engine: " + err.Error(), ""}
		}
		o.Engine = engine
	}
	for _, text := range f.Output {
		output, err := hostfuncs.ParseOutput(text)
		if err != nil {
			return o, &usageError{"--output: " + err.Error(), ""}
		}
		o.Outputs = append(o.Outputs, output)
	}
	for _, text := range f.Base {
		base, err := hostfuncs.ParseBaseLayout(text)
		if err != nil {
			return o, &usageError{"--base: " + err.Error(), ""}
		}
		o.Bases = append(o.Bases, base)
	}
	return o, nil
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
	if os.MkdirAll(filepath.Dir(file), 0o700) != nil || wholefile.Write(file, []byte(name+"\n")) != nil {
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
