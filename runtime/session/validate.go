package session

import (
	"context"
	"errors"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
)

// Validate checks the configuration whole: the core's part is checked by [Open], the
// provider's by the provider, and whether there are the directories that it names by
// the host. What only a build takes may come later, and is warned of.
func (s *Session) Validate(ctx context.Context) error {
	return s.run(ctx, call{provider: s.selected, operation: abi.ExportValidate, make: func(ctx context.Context, g *backend.Guest) error {
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
