package cli

import (
	"cmp"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
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

// asked are the flags that not every provider can carry out, further references
// included.
func (f builderFlags) asked(tags []string) []session.Flag {
	var asked []session.Flag
	for _, flag := range []struct {
		given        bool
		name, option string
	}{
		{len(tags) > 1, "a second --tag", abi.OptionTags},
		{len(f.Platform) > 0, "--platform", abi.OptionPlatforms},
		{f.Load, "--load", abi.OptionLoad},
		{f.NoCache, "--no-cache", abi.OptionNoCache},
		{f.Pull, "--pull", abi.OptionPull},
		{len(f.Output) > 0, "--output", ""},
		{len(f.Base) > 0, "--base", ""},
		{f.Engine != "" && f.Engine != string(build.Auto), "--engine", ""},
		{f.EngineCerts != "", "--engine-certs", ""},
	} {
		if flag.given {
			asked = append(asked, session.Flag{Name: flag.name, Option: flag.option})
		}
	}
	return asked
}

// asked is the flag, where it says more than its default.
func (f progressFlag) asked() []session.Flag {
	if f.Progress == "auto" {
		return nil
	}
	return []session.Flag{{Name: "--progress"}}
}

// carriedOut adds to the options of a run what only building takes.
func (f progressFlag) carriedOut(a *app, o *build.Options) {
	o.Mode, o.Machine, o.Describe = f.Progress, machine(userDirectories(a.Environ).machine), a.grammar.Verbose
	if f.Progress == "auto" && a.getenv("TERM") == "dumb" {
		o.Mode = "plain"
	}
}

// builds are the options for a run; further references are for all but the first.
func (f builderFlags) builds(a *app, further []string) (build.Options, error) {
	o := build.Options{
		NoCache: f.NoCache, Pull: f.Pull, Load: f.Load, Tags: further,
		Engine: build.Engine{Certs: f.EngineCerts},
		Epoch:  a.getenv("SOURCE_DATE_EPOCH"),
	}
	certs, err := a.namedBy(engineCertsEnv)
	if err != nil {
		return o, err
	}
	if f.Engine != "" {
		engine, err := build.ParseEngine(f.Engine, cmp.Or(f.EngineCerts, certs))
		if err != nil {
			return o, &usageError{"--engine: " + err.Error(), ""}
		}
		if f.EngineCerts != "" && engine.Certs == "" {
			return o, &usageError{
				"--engine-certs is for a daemon at buildkit+tcp://HOST:PORT, and --engine is " + f.Engine, "leave --engine-certs out",
			}
		}
		o.Engine = engine
	}
	for _, text := range f.Platform {
		platform, err := build.ParsePlatform(text)
		if err != nil {
			return o, &usageError{"--platform: " + err.Error(), ""}
		}
		o.Platforms = append(o.Platforms, platform)
	}
	for _, text := range f.Output {
		output, err := build.ParseOutput(text)
		if err != nil {
			return o, &usageError{"--output: " + err.Error(), ""}
		}
		if slices.Contains(o.Outputs, output) {
			return o, &usageError{"--output: duplicate output " + text, "give each output once"}
		}
		o.Outputs = append(o.Outputs, output)
	}
	for _, text := range f.Base {
		base, err := build.ParseBase(text)
		if err != nil {
			return o, &usageError{"--base: " + err.Error(), ""}
		}
		if slices.ContainsFunc(o.Bases, func(b build.Base) bool { return b.Reference == base.Reference }) {
			return o, &usageError{"--base: duplicate base image " + base.Reference, "give each base image once"}
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
