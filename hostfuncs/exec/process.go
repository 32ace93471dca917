package exec

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// startPlan is a program exactly as it will be started.
type startPlan struct {
	execPlan
	name     string
	watch    []string
	terminal bool
}

func (r *Runner) startOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ProcessStartRequest, startPlan, abi.ProcessStartResult]{
		Name:    abi.OpProcessStart,
		Resolve: r.resolveStart,
		Claim:   func(p startPlan) capability.Claim { return claimExec(p.execPlan) },
		Do:      r.doStart,
		Step:    func(_ context.Context, p startPlan) (hostfuncs.Detail, error) { return p.step(), nil },
		Preview: r.previewStart,
		Reaches: func(p startPlan) []hostfuncs.EnvStep { return r.reaches(p.env) },
		Close:   func(p startPlan) { p.close() },
	}
}

func (r *Runner) resolveStart(ctx context.Context, q abi.ProcessStartRequest) (startPlan, error) {
	if len(q.Watch) > abi.MaxWatches || slices.Contains(q.Watch, "") {
		return startPlan{}, abi.Errorf(abi.CodeInvalid, "process_start: watch has at most %d texts, none of them empty", abi.MaxWatches)
	}
	p, err := r.resolveExec(ctx, abi.ExecRequest{
		Argv: q.Argv, Dir: q.Dir, EnvBase: q.EnvBase, EnvFiles: q.EnvFiles, Env: q.Env, Stdin: q.Stdin,
	})
	if err != nil {
		return startPlan{}, err
	}
	name := termtext.Line(cmp.Or(q.Name, filepath.Base(q.Argv[0])), maxName)
	return startPlan{p, name, q.Watch, q.Terminal}, nil
}

// maxName is how long the name in front of lines may be, in characters.
const maxName = 20

// previewStart supposes that a program prints the first text that it is watched for, and
// succeeds, or runs until it is interrupted if the run is one of a server.
func (r *Runner) previewStart(p startPlan) (abi.ProcessStartResult, []string, error) {
	s := &started{planned: true, endless: r.opts.Serves}
	unknown := []string{"its output"}
	if len(p.watch) > 0 {
		s.seen = p.watch[:1]
		unknown = []string{"its output, taken to have " + strconv.Quote(p.watch[0])}
	}
	if r.opts.Serves {
		unknown = append(unknown, "when it ends, taken to be when the run is asked to")
	}
	if err := r.started.add(s); err != nil {
		return abi.ProcessStartResult{}, nil, err
	}
	return abi.ProcessStartResult{ID: s.id}, unknown, p.missing
}

// doStart returns once the program runs or could not be started.
func (r *Runner) doStart(ctx context.Context, p startPlan) (abi.ProcessStartResult, error) {
	if ctx.Err() != nil {
		return abi.ProcessStartResult{}, context.Cause(ctx)
	}
	cmd, err := r.command(p.execPlan)
	if err != nil {
		return abi.ProcessStartResult{}, err
	}
	s := new(started)
	ctx, s.cancel = context.WithCancelCause(ctx)
	if err := r.started.add(s); err != nil {
		s.cancel(nil)
		return abi.ProcessStartResult{}, err
	}
	out := r.newOutput(p.name, p.terminal, p.watch, func(line string) {
		r.started.update(func() { s.seen = append(s.seen, line) })
	})
	s.removed = out.shown.Remove
	out.receive(&cmd)
	runs, failed := make(chan struct{}), make(chan error, 1)
	cmd.Started = func() { close(runs) }
	r.started.group.Go(func() {
		defer s.cancel(nil)
		res, err := r.run(ctx, cmd, 0)
		err = errors.Join(err, out.close())
		select {
		case <-runs:
		default:
			failed <- err
			return
		}
		r.started.update(func() {
			s.ended, s.err = true, err
			s.exit = abi.ProcessExit{
				ID: s.id, ExitCode: res.ExitCode, Signal: res.Signal, Interrupted: res.Interrupted, Tail: out.tail(),
			}
		})
	})
	select {
	case <-runs:
		return abi.ProcessStartResult{ID: s.id}, nil
	case err := <-failed:
		r.started.update(func() { r.started.remove(s) })
		return abi.ProcessStartResult{}, abi.Errorf(abi.CodeFailed, "%v", err)
	}
}

// waitPlan says which programs to wait for, and how long.
type waitPlan struct {
	of      []*started
	timeout time.Duration
	missing error
}

// waitOp is process_wait. It needs no right: it concerns only what the provider started.
func (r *Runner) waitOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ProcessWaitRequest, waitPlan, abi.ProcessWaitResult]{
		Name:  abi.OpProcessWait,
		Looks: true,
		Resolve: func(_ context.Context, q abi.ProcessWaitRequest) (waitPlan, error) {
			if q.TimeoutMS < 0 {
				return waitPlan{}, abi.Errorf(abi.CodeInvalid, "process_wait: timeout_ms must not be negative")
			}
			of, err := r.started.find(abi.OpProcessWait, q.IDs)
			return waitPlan{of, time.Duration(q.TimeoutMS) * time.Millisecond, err}, nil
		},
		Claim: func(waitPlan) capability.Claim { return capability.Claim{Own: true} },
		Do: func(ctx context.Context, p waitPlan) (abi.ProcessWaitResult, error) {
			switch {
			case p.missing != nil:
				return abi.ProcessWaitResult{}, p.missing
			case len(p.of) == 0:
				return abi.ProcessWaitResult{}, abi.Errorf(abi.CodeInvalid, "process_wait: no program was started, or all were waited for")
			}
			return r.started.wait(ctx, p.of, p.timeout)
		},
	}
}

// stopPlan says which program to end, and how.
type stopPlan struct {
	program *started
	signal  os.Signal
	grace   time.Duration
	missing error
}

// stopOp is process_stop. It needs no right: it concerns only what the provider started.
func (r *Runner) stopOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ProcessStopRequest, stopPlan, abi.ProcessExit]{
		Name:    abi.OpProcessStop,
		Looks:   true,
		Resolve: r.resolveStop,
		Claim:   func(stopPlan) capability.Claim { return capability.Claim{Own: true} },
		Do: func(ctx context.Context, p stopPlan) (abi.ProcessExit, error) {
			if p.missing != nil {
				return abi.ProcessExit{}, p.missing
			}
			return r.started.stop(ctx, p.program, p.signal, p.grace)
		},
	}
}

// stopSignals are the signals that ask a program to end.
var stopSignals = map[string]os.Signal{"": syscall.SIGTERM, "SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP}

func (r *Runner) resolveStop(_ context.Context, q abi.ProcessStopRequest) (stopPlan, error) {
	signal, ok := stopSignals[q.Signal]
	if !ok || q.GraceMS < 0 {
		return stopPlan{}, abi.Errorf(abi.CodeInvalid, "process_stop: signal must be SIGTERM, SIGINT or SIGHUP, and grace_ms must not be negative")
	}
	p := stopPlan{signal: signal, grace: r.opts.Grace}
	if q.GraceMS > 0 {
		p.grace = min(p.grace, time.Duration(q.GraceMS)*time.Millisecond)
	}
	of, err := r.started.find(abi.OpProcessStop, []int{q.ID})
	if p.missing = err; err == nil {
		p.program = of[0]
	}
	return p, nil
}
