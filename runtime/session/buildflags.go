package session

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Flag is a flag of a build that not every provider can carry out.
type Flag struct {
	// Name is the flag as the user gives it, such as --platform.
	Name string
	// Option is its field of [abi.BuildDockerOptions], empty if only docker_build can
	// carry it out.
	Option string
}

// FlagError says that a run cannot carry out a flag.
type FlagError struct{ Message, Advice string }

func (e *FlagError) Error() string { return e.Message }

// Hint says what to do about it.
func (e *FlagError) Hint() string { return e.Advice }

// division says who carries out the user's settings of a build.
type division struct {
	// host is for docker_build.
	host build.Options
	// provider has only the optional fields.
	provider abi.BuildDockerOptions
	// awaited are the flags that a call of docker_build has to carry out.
	awaited []string
}

// divide divides the settings by the provider's description of itself.
//
// # Errors
//
// A [*FlagError] for flags that cannot be carried out, yamldoc.Problems for the
// configuration's engine.
func (r *run) divide(l *loaded) (division, error) {
	d := division{host: r.builds}
	if r.operation == abi.ExportDev {
		return d, r.checkDevFlags(l.guest.Describe())
	}
	if r.operation != abi.ExportBuildDocker && r.operation != abi.ExportValidate {
		return d, nil
	}
	about := l.guest.Describe()
	found, err := l.inspection()
	if err != nil {
		return d, err
	}
	able := asksFor(about, found.Info.Operations())
	var not []string
	for _, flag := range r.build.Flags {
		switch {
		case slices.Contains(about.BuildOptions, flag.Option) && d.hand(flag.Option):
		case flag.Option == abi.OptionIdentify && (able.build || able.image):
		case able.build:
			d.awaited = append(d.awaited, flag.Name)
		default:
			not = append(not, flag.Name)
		}
	}
	if len(not) > 0 {
		return d, &FlagError{
			Message: fmt.Sprintf("provider %s cannot carry out %s", about.ID, strings.Join(not, ", ")),
			Advice:  "it builds without docker_build, with its own program; remove the flag, or set what that program needs in the configuration",
		}
	}
	config := r.session.config
	if engine := config.Engine; !able.build && engine != "" && engine != string(build.Auto) {
		return d, yamldoc.Problems{{
			Pos: config.EnginePosition(), Field: "build.engine",
			Message: fmt.Sprintf("provider %s builds without docker_build, with its own program, and cannot use this engine", about.ID),
			Hint:    "remove the key",
		}}
	}
	return d, nil
}

// checkDevFlags refuses names of processes if the provider has none. The host itself
// selects output by the names of programs.
func (r *run) checkDevFlags(about abi.Description) error {
	if len(r.session.opts.Processes) == 0 || slices.Contains(about.DevOptions, abi.OptionProcesses) {
		return nil
	}
	return &FlagError{
		Message: fmt.Sprintf("provider %s cannot carry out names of processes", about.ID),
		Advice:  "its backend has no named processes",
	}
}

// devFlags are the flags of dev that the provider gets, if it can apply them.
func (o Options) devFlags() []Flag {
	var flags []Flag
	if len(o.Processes) > 0 {
		flags = append(flags, Flag{"names of processes", abi.OptionProcesses})
	}
	if o.Output.Only != "" {
		flags = append(flags, Flag{"--only-output", abi.OptionOnlyOutput})
	}
	return flags
}

// hand gives an option to the provider instead of docker_build, if it exists.
func (d *division) hand(option string) bool {
	switch option {
	case abi.OptionTags:
		d.provider.Tags, d.host.Tags = d.host.Tags, nil
	case abi.OptionPlatforms:
		d.provider.Platforms, d.host.Platforms = d.host.Platforms, nil
	case abi.OptionNoCache:
		d.provider.NoCache, d.host.NoCache = d.host.NoCache, false
	case abi.OptionPull:
		d.provider.Pull, d.host.Pull = d.host.Pull, false
	case abi.OptionLoad:
		d.provider.Load, d.host.Load = d.host.Load, false
	case abi.OptionIdentify:
		d.provider.Identify = true
	default:
		return false
	}
	return true
}

// fill sets the options that the provider carries out.
func (d division) fill(o abi.BuildDockerOptions) abi.BuildDockerOptions {
	p := d.provider
	p.Config, p.WorkDir, p.Env, p.ImageTag, p.Push = o.Config, o.WorkDir, o.Env, o.ImageTag, o.Push
	return p
}

// abilities are the operations that a provider may call, of docker_build and
// docker_image.
type abilities struct{ build, image bool }

// asksFor returns what a provider asks for, or what its module imports if it asks for
// nothing.
func asksFor(about abi.Description, imports []string) abilities {
	if about.Capabilities.Empty() {
		return abilities{slices.Contains(imports, abi.OpDockerBuild), slices.Contains(imports, abi.OpDockerImage)}
	}
	return abilities{len(about.Capabilities.Build) > 0, len(about.Capabilities.Images) > 0}
}

// work counts the builds and programs of a run.
type work struct {
	builds, programs int
	pushed           bool // by docker_build
}

func (w *work) note(c capability.Claim) {
	switch {
	case c.Build != nil:
		w.builds++
		w.pushed = w.pushed || c.Build.Push
	case c.Exec != nil:
		w.programs++
	}
}

// checkCarriedOut finds flags that a successful run did not carry out: a provider may
// ask for docker_build and not call it.
func (r *run) checkCarriedOut(d division) error {
	did, id := r.recorder.work, r.module.ID
	if p := r.mode.preview(); p != nil {
		did = work{}
		for _, step := range p.Steps {
			did.note(step.Record.Claim)
		}
	}
	switch {
	case len(d.awaited) > 0 && did.builds == 0:
		return &FlagError{
			Message: fmt.Sprintf("provider %s did not carry out %s: it did not call docker_build", id, strings.Join(d.awaited, ", ")),
			Advice:  "remove the flag, or set what the provider needs in the configuration",
		}
	case r.build.Push && did.builds > 0 && !did.pushed && did.programs == 0:
		return &FlagError{
			Message: fmt.Sprintf("provider %s did not carry out --push: it built the image and did not push it", id),
			Advice:  "remove the flag; the provider has to pass on the field push of build_docker's input",
		}
	}
	return nil
}
