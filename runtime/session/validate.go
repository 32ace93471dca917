package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// Validate checks the whole configuration: [Open] has checked the core's part, the
// provider checks its own, and the host checks that the directories named in it exist.
// Missing files of a build are warnings, since another step may create them.
func (s *Session) Validate(ctx context.Context) error {
	_, err := s.run(ctx, live{}, call{operation: abi.ExportValidate, builds: s.builds, make: s.validate})
	return err
}

func (s *Session) validate(ctx context.Context, l *loaded, _ division) error {
	err := s.checkPart(ctx, l)
	if err == nil {
		err = l.guest.Validate(ctx, abi.ValidateOptions{Config: s.part(l.guest)})
	}
	wrong, isWrong := errors.AsType[*abi.Error](err)
	if err != nil && (!isWrong || len(wrong.Problems) == 0) {
		return err
	}
	missing, err := s.findMissing(l.guest)
	if err != nil {
		return err
	}
	for _, p := range s.problems(missing.builds) {
		s.opts.Reporter.Warn(p)
	}
	var problems []abi.Problem
	if isWrong {
		problems = wrong.Problems
	}
	for _, other := range missing.problems {
		if !slices.ContainsFunc(problems, func(p abi.Problem) bool { return p.Pointer == other.Pointer }) {
			problems = append(problems, other)
		}
	}
	if len(problems) > 0 {
		return abi.Invalid(problems...)
	}
	return nil
}

// missing are the paths that a configuration names and the project does not have.
type missing struct {
	// problems are directories that commands run in, and all paths that lead out of
	// the project. A run would fail.
	problems []abi.Problem
	// builds are contexts and Dockerfiles.
	builds []abi.Problem
}

// findMissing looks for the directories of a provider's commands, its contexts and
// Dockerfiles, as far as the configuration names them.
func (s *Session) findMissing(g *backend.Guest) (m missing, err error) {
	a, err := asks.New(asks.Expand(g.Describe().Capabilities, s.config.Expand), s.part(g), s.config.Position)
	if err != nil {
		return m, err
	}
	project := files.NewProject(s.config.Root)
	find := func(list *[]abi.Problem, pointer string, check func(named string, at files.Place) error) {
		named := a.Text(pointer)
		if named == "" {
			return
		}
		at, err := project.Locate(named)
		if err != nil {
			m.problems = append(m.problems, problemOf(pointer, err))
		} else if err := check(named, at); err != nil {
			*list = append(*list, problemOf(pointer, err))
		}
	}
	checkDir := func(named string, at files.Place) error { return exec.CheckDir(project, named, at) }
	exists := func(_ string, at files.Place) error { return at.Missing }
	var dirs []string
	for _, ask := range a.Exec {
		dirs = append(dirs, ask.DirFrom)
		find(&m.problems, ask.DirFrom, checkDir)
	}
	for _, ask := range a.Build {
		context := slices.IndexFunc(ask.ContextFrom, func(pointer string) bool { return a.Text(pointer) != "" })
		if context >= 0 && !slices.Contains(dirs, ask.ContextFrom[context]) {
			find(&m.builds, ask.ContextFrom[context], exists)
		}
		find(&m.builds, ask.DockerfileFrom, exists)
	}
	return m, nil
}

func problemOf(pointer string, err error) abi.Problem {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return abi.Problem{Pointer: pointer, Message: e.Message, Hint: e.Hint}
	}
	return abi.Problem{Pointer: pointer, Message: err.Error()}
}

// maxUnexpanded is the most warnings about unexpanded values.
const maxUnexpanded = 20

// warnUnexpanded warns of values that the user may expect to be expanded, as far as
// the provider says that it uses them as written.
func (s *Session) warnUnexpanded(about abi.Description) {
	commands, values := usedAsWritten(about)
	found := s.config.Unexpanded(s.config.Expand(commands), s.config.Expand(values))
	for i, p := range found {
		if i == maxUnexpanded {
			s.opts.Reporter.Warn(fmt.Errorf("%d more values are not expanded", len(found)-i))
			break
		}
		s.opts.Reporter.Warn(errors.New(p.Error() + "\n" + p.Hint))
	}
}

// usedAsWritten returns JSON pointers to the values that a provider uses as written:
// commands, and others.
func usedAsWritten(about abi.Description) (commands, values []string) {
	asks := about.Capabilities
	for _, ask := range asks.Exec {
		commands = append(commands, ask.ArgvFrom)
		values = append(values, ask.DirFrom, ask.EnvFrom)
	}
	for _, ask := range asks.Build {
		values = append(values, ask.ContextFrom...)
		values = append(values, ask.DockerfileFrom, ask.TargetFrom, ask.PlatformsFrom, ask.ArgsFrom, ask.SecretsFrom,
			ask.NetworkFrom, ask.CacheImportFrom, ask.CacheExportFrom)
	}
	values = slices.Concat(values, about.TextFrom, asks.FilesFrom, asks.EnvFrom, asks.EnvFilesFrom, asks.ConnectFrom)
	// An empty pointer would lead to the whole configuration.
	empty := func(pointer string) bool { return pointer == "" }
	return slices.DeleteFunc(commands, empty), slices.DeleteFunc(values, empty)
}
