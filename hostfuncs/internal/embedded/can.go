package embedded

import (
	"runtime"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// wayOut is the advice for what the embedded builder cannot build.
const wayOut = "start Docker, or use --engine buildkit+tcp://HOST:PORT"

// Can returns nil if [Build] can build a Dockerfile, or else an error with the
// line that needs an engine. Nothing is read or pulled, so [Build] may still fail
// on the content of a base image or an archive.
func Can(f *dockerfile.File, o dockerfile.Options) error {
	o, err := On(o)
	if err == nil {
		_, err = can(f, o)
	}
	return err
}

// On returns the options of an embedded build. Nothing runs, so its build platform
// is that of the image: the result must not depend on the machine. The default is
// Linux on this machine's processor.
func On(o dockerfile.Options) (dockerfile.Options, error) {
	platform, err := parsePlatform(o.Platform)
	o.Platform, o.BuildPlatform = platform, platform
	return o, err
}

func can(f *dockerfile.File, o dockerfile.Options) (*dockerfile.Plan, error) {
	p, err := f.Plan(o)
	if err != nil {
		return nil, err
	}
	if p.Syntax != "" && !dockerfile.IsDockers(p.Syntax) {
		return nil, p.Errorf(1, "the Dockerfile has a frontend of its own, %s, which needs an engine: %s", p.Syntax, wayOut)
	}
	for _, s := range p.Stages {
		for _, c := range s.Commands {
			if what := needsEngine(c); what != "" {
				return nil, p.Errorf(c.Line, "%s needs an engine: %s", what, wayOut)
			}
		}
	}
	return p, nil
}

// needsEngine is the part of an instruction that needs an engine, if any.
func needsEngine(c dockerfile.Command) string {
	switch known := c.Command.(type) {
	case *instructions.RunCommand:
		return "RUN"
	case *instructions.OnbuildCommand:
		return "ONBUILD"
	case *instructions.AddCommand:
		switch {
		case len(c.Remotes) > 0:
			return "ADD of " + c.Remotes[0]
		case known.Checksum != "":
			return "ADD --checksum"
		case known.KeepGitDir != nil:
			return "ADD --keep-git-dir"
		case symbolic(known.Chmod):
			return "--chmod=" + known.Chmod
		}
	case *instructions.CopyCommand:
		switch {
		case known.Parents:
			return "COPY --parents"
		case symbolic(known.Chmod):
			return "--chmod=" + known.Chmod
		}
	}
	return ""
}

// symbolic reports whether a mode is one like u+x.
func symbolic(mode string) bool {
	return strings.ContainsAny(mode, "+-=") && !strings.Contains(mode, "$")
}

// parsePlatform is a platform in full; empty is Linux on this machine.
func parsePlatform(name string) (string, error) {
	if name == "" {
		name = "linux/" + runtime.GOARCH
	}
	p, err := platforms.Parse(name)
	if err != nil {
		return "", err
	}
	p = platforms.Normalize(p)
	if p.OS != "linux" {
		return "", errNotLinux
	}
	return platforms.FormatAll(p), nil
}
