package exec

import (
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

// startPlan is a program that will be started, exactly as it will.
type startPlan struct {
	execPlan
	name  string
	watch []string
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
	name := q.Name
	if name == "" {
		name = filepath.Base(q.Argv[0])
	}
	return startPlan{p, termtext.Line(name, 20), q.Watch}, nil
}

// previewStart has a plan's program say the first of what it is watched for,
// and end well, or in a run of a server run until it is asked to end.
func (r *Runner) previewStart(p startPlan) (abi.ProcessStartResult, []string, error) {
	s := &started{pretended: true, endless: r.opts.Serves}
	unknown := []string{"its output"}
	if len(p.watch) > 0 {
		s.seen = p.watch[:1]
		unknown = []string{"its output, taken to have " + strconv.Quote(p.watch[0])}
	}
	if r.opts.Serves {
		unknown = append(unknown, "when it ends, taken to be when the run is asked to")
	}
	if err := r.processes.add(s); err != nil {
		return abi.ProcessStartResult{}, nil, err
	}
	return abi.ProcessStartResult{ID: s.id}, unknown, p.missing
}

// doStart waits until the program runs, or can't.
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
	if err := r.processes.add(s); err != nil {
		s.cancel(nil)
		return abi.ProcessStartResult{}, err
	}
	out := r.newOutput(s, p)
	cmd.Stdout, cmd.Stderr = out.stdout, out.stderr
	runs, failed := make(chan struct{}), make(chan error, 1)
	cmd.Started = func() { close(runs) }
	r.processes.group.Go(func() {
		defer s.cancel(nil)
		res, err := r.run(ctx, cmd, 0)
		err = errors.Join(err, out.close())
		select {
		case <-runs:
		default:
			// It never ran, whatever the error is.
			failed <- err
			return
		}
		r.processes.end(s, abi.ProcessExit{
			ExitCode: res.ExitCode, Signal: res.Signal, Interrupted: res.Interrupted, Tail: out.tail(),
		}, err)
	})
	select {
	case <-runs:
		return abi.ProcessStartResult{ID: s.id}, nil
	case err := <-failed:
		r.processes.forget(s)
		return abi.ProcessStartResult{}, abi.Errorf(abi.CodeFailed, "%v", err)
	}
}

// waitPlan is what is waited for.
type waitPlan struct {
	of      []*started
	timeout time.Duration
	missing error
}

// waitOp is process_wait. It looks at what was started, and at nothing else.
func (r *Runner) waitOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ProcessWaitRequest, waitPlan, abi.ProcessWaitResult]{
		Name:  abi.OpProcessWait,
		Looks: true,
		Resolve: func(_ context.Context, q abi.ProcessWaitRequest) (waitPlan, error) {
			if q.TimeoutMS < 0 {
				return waitPlan{}, abi.Errorf(abi.CodeInvalid, "process_wait: timeout_ms can't be below 0")
			}
			of, err := r.processes.find(abi.OpProcessWait, q.IDs)
			return waitPlan{of, time.Duration(q.TimeoutMS) * time.Millisecond, err}, nil
		},
		Claim: func(waitPlan) capability.Claim { return capability.Claim{Own: true} },
		Do: func(ctx context.Context, p waitPlan) (abi.ProcessWaitResult, error) {
			switch {
			case p.missing != nil:
				return abi.ProcessWaitResult{}, p.missing
			case len(p.of) == 0:
				return abi.ProcessWaitResult{}, abi.Errorf(abi.CodeInvalid, "process_wait: no program was started that was not waited for")
			}
			return r.processes.wait(ctx, p.of, p.timeout)
		},
	}
}

// stopPlan is what is ended, and how.
type stopPlan struct {
	program *started
	signal  os.Signal
	grace   time.Duration
	missing error
}

// stopOp is process_stop. It ends what was started, and nothing else. In a plan nothing was.
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
			return r.processes.stop(ctx, p.program, p.signal, p.grace)
		},
	}
}

// stopSignals are those that ask a program to end.
var stopSignals = map[string]os.Signal{"": syscall.SIGTERM, "SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP}

func (r *Runner) resolveStop(_ context.Context, q abi.ProcessStopRequest) (stopPlan, error) {
	signal, ok := stopSignals[q.Signal]
	if !ok || q.GraceMS < 0 {
		return stopPlan{}, abi.Errorf(abi.CodeInvalid, "process_stop: signal is SIGTERM, SIGINT or SIGHUP, and grace_ms not below 0")
	}
	p := stopPlan{signal: signal, grace: r.opts.Grace}
	if q.GraceMS > 0 {
		p.grace = min(p.grace, time.Duration(q.GraceMS)*time.Millisecond)
	}
	of, err := r.processes.find(abi.OpProcessStop, []int{q.ID})
	if p.missing = err; err == nil {
		p.program = of[0]
	}
	return p, nil
}
