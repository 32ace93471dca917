package session

import (
	"cmp"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// EngineAuto is the default of [BuildSettings.Engine].
const EngineAuto = string(build.Auto)

// BuildSettings are the user's settings for image builds, which override those of the
// provider. Each is the text of the flag of stagecraft build with its name.
type BuildSettings struct {
	// Engine is auto, docker, embedded, buildkit+tcp://HOST:PORT or
	// buildkit+unix:///PATH. Empty leaves it to the configuration, then to auto.
	Engine string
	// EngineCerts is the directory of ca.pem, cert.pem and key.pem for a daemon.
	EngineCerts string
	// Tags are further references of the image.
	Tags []string
	// Platforms, such as linux/arm64, replace the provider's.
	Platforms []string
	// Outputs are oci:DIR or tar:FILE, to which the image is written.
	Outputs []string
	// Bases are REF=oci:DIR: base images that are read from OCI layouts.
	Bases []string
	// Load also puts the image into the Docker engine, NoCache repeats every step,
	// and Pull looks for newer base images.
	Load, NoCache, Pull bool
	// Epoch is the value of SOURCE_DATE_EPOCH.
	Epoch string
	// Progress is auto, plain, tty, quiet or rawjson; Verbose describes the engine.
	Progress string
	Verbose  bool
	// Machine is a unique name of this machine, under which builders keep contexts.
	// If it is empty, the whole context is sent each time.
	Machine string
}

// Flags are the settings that are set, if not every provider can carry them out.
func (b BuildSettings) Flags() []Flag {
	var flags []Flag
	for _, flag := range []struct {
		set          bool
		name, option string
	}{
		{len(b.Tags) > 0, "a second --tag", abi.OptionTags},
		{len(b.Platforms) > 0, "--platform", abi.OptionPlatforms},
		{b.Load, "--load", abi.OptionLoad},
		{b.NoCache, "--no-cache", abi.OptionNoCache},
		{b.Pull, "--pull", abi.OptionPull},
		{len(b.Outputs) > 0, "--output", ""},
		{len(b.Bases) > 0, "--base", ""},
		{b.Engine != "" && b.Engine != EngineAuto, "--engine", ""},
		{b.EngineCerts != "", "--engine-certs", ""},
		{b.Progress != "" && b.Progress != progressAuto, "--progress", ""},
	} {
		if flag.set {
			flags = append(flags, Flag{flag.name, flag.option})
		}
	}
	return flags
}

const progressAuto = "auto"

// parse checks the settings. certs is the default of EngineCerts, and terminal
// the value of TERM.
//
// # Errors
//
// A [*FlagError].
func (b BuildSettings) parse(certs, terminal string) (build.Options, error) {
	o := build.Options{
		NoCache: b.NoCache, Pull: b.Pull, Load: b.Load, Tags: b.Tags, Epoch: b.Epoch,
		Mode: cmp.Or(b.Progress, progressAuto), Describe: b.Verbose, Machine: b.Machine,
	}
	if o.Mode == progressAuto && terminal == "dumb" {
		o.Mode = "plain"
	}
	var err error
	if b.Engine != "" {
		if o.Engine, err = build.ParseEngine(b.Engine, cmp.Or(b.EngineCerts, certs)); err != nil {
			return o, &FlagError{Message: "--engine: " + err.Error()}
		}
	}
	if o.Platforms, err = parseEach("--platform", b.Platforms, build.ParsePlatform); err != nil {
		return o, err
	}
	if o.Outputs, err = parseEach("--output", b.Outputs, build.ParseOutput); err != nil {
		return o, err
	}
	for i, output := range o.Outputs {
		if slices.Contains(o.Outputs[:i], output) {
			return o, &FlagError{"--output: duplicate output " + b.Outputs[i], "give each output once"}
		}
	}
	if o.Bases, err = parseEach("--base", b.Bases, build.ParseBase); err != nil {
		return o, err
	}
	for i, base := range o.Bases {
		if slices.ContainsFunc(o.Bases[:i], func(other build.Base) bool { return other.Reference == base.Reference }) {
			return o, &FlagError{"--base: duplicate base image " + base.Reference, "give each base image once"}
		}
	}
	return o, nil
}

func parseEach[T any](flag string, texts []string, parse func(string) (T, error)) ([]T, error) {
	var values []T
	for _, text := range texts {
		value, err := parse(text)
		if err != nil {
			return nil, &FlagError{Message: flag + ": " + err.Error()}
		}
		values = append(values, value)
	}
	return values, nil
}

// chooseEngine uses the configuration's engine if the user gave none.
func (s *Session) chooseEngine() error {
	certs := s.opts.Builds.EngineCerts
	chosen := &s.builds.Engine
	if chosen.Kind == "" && s.config.Engine != "" {
		engine, err := build.ParseEngine(s.config.Engine, cmp.Or(certs, s.opts.EngineCerts))
		if err != nil {
			return yamldoc.Problems{{Pos: s.config.EnginePosition(), Field: "build.engine", Message: err.Error()}}
		}
		*chosen = engine
	}
	if certs != "" && (chosen.Kind != build.BuildKit || chosen.Certs == "") {
		return &FlagError{
			Message: "--engine-certs requires a daemon at buildkit+tcp://HOST:PORT, and the engine is " + chosen.String(),
			Advice:  "name the daemon with --engine or build.engine, or remove --engine-certs",
		}
	}
	return nil
}
