package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Validate checks the configuration whole: the core's part is checked by [Open], the
// provider's by the provider, and whether there are the directories that it names by
// the host. What only a build takes may come later, and is warned of.
func (s *Session) Validate(ctx context.Context) error {
	_, err := s.run(ctx, live{}, call{operation: abi.ExportValidate, builds: s.builds, make: func(ctx context.Context, l *loaded, _ division) error {
		g := l.guest
		err := g.Validate(ctx, abi.ValidateOptions{Config: s.part(g)})
		wrong, isWrong := errors.AsType[*abi.Error](err)
		if err != nil && (!isWrong || len(wrong.Problems) == 0) {
			return err
		}
		missing, merr := s.findMissing(g)
		if merr != nil {
			return merr
		}
		for _, p := range s.problems(missing.builds) {
			s.opts.Reporter.Warn(p)
		}
		var problems []abi.Problem
		if isWrong {
			problems = wrong.Problems
		}
		if problems = withOthers(problems, missing.problems); len(problems) > 0 {
			return abi.Invalid(problems...)
		}
		return nil
	}})
	return err
}

// withOthers adds problems of values that have none yet.
func withOthers(problems, others []abi.Problem) []abi.Problem {
	for _, other := range others {
		if !slices.ContainsFunc(problems, func(p abi.Problem) bool { return p.Pointer == other.Pointer }) {
			problems = append(problems, other)
		}
	}
	return problems
}

// maxUnexpanded is how many values of one file are warned of.
const maxUnexpanded = 20

// warnUnexpanded tells of values that the user may expect to be expanded. Only those
// are looked at that the provider uses as they are written: what another value means
// is the provider's word.
func (s *Session) warnUnexpanded(about abi.Description) {
	found := s.config.Unexpanded(usedAsWritten(about))
	for i, p := range found {
		if i == maxUnexpanded {
			s.opts.Reporter.Warn(fmt.Errorf("%d more values are not expanded", len(found)-i))
			break
		}
		s.opts.Reporter.Warn(errors.New(p.Error() + "\n" + p.Hint))
	}
}

// usedAsWritten are JSON pointers to what a provider says that it uses as it is
// written: commands, and other values.
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
	for _, pointers := range [][]string{about.TextFrom, asks.EnvFrom, asks.EnvFilesFrom, asks.ConnectFrom} {
		values = append(values, pointers...)
	}
	return present(commands), present(values)
}

// present leaves out pointers that a provider does not give; an empty one would lead
// to all that it has.
func present(pointers []string) []string {
	var given []string
	for _, pointer := range pointers {
		if pointer != "" {
			given = append(given, pointer)
		}
	}
	return given
}
