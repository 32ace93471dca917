package exec

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// run runs a command as [Confinement.run] does. Once the run itself was asked to end,
// the user is told of a command that goes on, and of one that is killed. What a
// provider ends by itself is no news.
func (r *Runner) run(ctx context.Context, cmd process.Command, asked time.Duration) (process.Result, error) {
	name := cmd.Argv[0]
	cmd.Late = func(left time.Duration) {
		if why, ok := asksToEnd(ctx); ok {
			r.opts.Warn(errors.New(lateText(why.Signal, r.opts.Grace-left, left)))
		}
	}
	res, err := r.opts.Confinement.run(ctx, cmd, asked)
	if why, ok := asksToEnd(ctx); ok && res.Killed && res.Interrupted {
		r.opts.Warn(errors.New(killedText(name, why.Signal, res, r.opts.Grace)))
	}
	return res, err
}

// asksToEnd gives the signal that the user or the system ended a run by, if one did.
func asksToEnd(ctx context.Context) (*process.Interrupted, bool) {
	i, ok := errors.AsType[*process.Interrupted](context.Cause(ctx))
	return i, ok && !i.Stopped
}

func lateText(sig syscall.Signal, after, left time.Duration) string {
	again := "press Ctrl-C"
	if sig == syscall.SIGINT {
		again += " again"
	}
	return fmt.Sprintf("still running %v after %s; %s to kill it, or wait %v", after.Round(time.Second), signalWord(sig), again, left.Round(time.Second))
}

func killedText(name string, sig syscall.Signal, res process.Result, grace time.Duration) string {
	what := name + " was killed"
	if res.Signal != "SIGKILL" {
		what = "what " + name + " had started was killed"
	}
	if res.Waited < grace {
		return what + " at the second signal"
	}
	return fmt.Sprintf("%s: still running %v after %s", what, grace, signalWord(sig))
}

// signalWord is what a user calls a signal.
func signalWord(sig syscall.Signal) string {
	if sig == syscall.SIGINT {
		return "Ctrl-C"
	}
	return process.SignalName(sig)
}
