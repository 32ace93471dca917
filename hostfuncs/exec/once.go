package exec

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/inputs"
)

// checkOnce requires a reference. With values of its own, a provider could find out
// another value by comparing them.
func checkOnce(q abi.ExecRequest) error {
	switch {
	case q.Once == "":
		return nil
	case len(q.Once) > abi.MaxOnce:
		return abi.Errorf(abi.CodeInvalid, "exec: once has %d bytes, at most %d are taken", len(q.Once), abi.MaxOnce)
	case q.Stdin == nil || q.Stdin.Env == "":
		return abi.Errorf(abi.CodeInvalid, `exec: once needs a stdin that is a reference, {"env": "NAME"}`)
	}
	return nil
}

// onceInput returns the name under which a command's input is recorded, separate for each
// provider, and the input. The input includes the reference, so that a provider cannot
// learn whether two variables have the same value.
func (r *Runner) onceInput(p execPlan) (name, input []string, err error) {
	value, err := r.opts.Env.Value(*p.stdin)
	if err != nil {
		return nil, nil, err
	}
	from := append([]string{p.stdin.Env}, p.stdin.Files...)
	return []string{r.opts.Provider, p.once}, slices.Concat([]string{fmt.Sprint(len(from))}, from, p.exec.Argv, []string{value}), nil
}

// unchanged reports whether a command need not run.
func (r *Runner) unchanged(p execPlan) bool {
	if p.once == "" {
		return false
	}
	name, input, err := r.onceInput(p)
	return err == nil && inputs.Store(r.opts.InputsDir).Same(name, input)
}

// doOnce runs a command unless it succeeded with the same input before. The record is
// removed while it runs, because a command that fails may still have had effects.
func (r *Runner) doOnce(ctx context.Context, p execPlan) (abi.ExecResult, error) {
	if p.once == "" {
		return r.doExec(ctx, p)
	}
	name, input, err := r.onceInput(p)
	store := inputs.Store(r.opts.InputsDir)
	switch {
	case err != nil:
		return abi.ExecResult{}, err
	case store.Same(name, input):
		return abi.ExecResult{Unchanged: true}, nil
	}
	if err := store.Forget(name); err != nil {
		return abi.ExecResult{}, abi.Errorf(abi.CodeFailed, "cannot forget the input of an earlier run: %v", err)
	}
	result, err := r.doExec(ctx, p)
	if err == nil && result.ExitCode == 0 && !result.Interrupted {
		if err := store.Keep(name, input); err != nil {
			r.opts.Warn(fmt.Errorf("cannot remember the input of %s, so the next run repeats it: %w", p.exec.Argv[0], err))
		}
	}
	return result, err
}
