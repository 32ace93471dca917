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

// startPlan is a program exactly as it will be started.
type startPlan struct {
	execPlan
	name     string // the provider's, or empty
	watch    []string
	ready    readiness
	ends     bool
	ordered  bool
	terminal bool
}

// maxName bounds the name of a program in output, in letters.
const maxName = 20

func (r *Runner) startOp() hostfuncs.Operation {
	return hostfuncs.Op[abi.ProcessStartRequest, startPlan, abi.ProcessStartResult]{
		Name:    abi.OpProcessStart,
		Resolve: r.resolveStart,
		Claim:   claimStart,
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
	ready, err := parseReady(q.Ready)
	if err != nil {
		return startPlan{}, err
	}
	p, err := r.resolveExec(ctx, abi.ExecRequest{
		Argv: q.Argv, Dir: q.Dir, EnvBase: q.EnvBase, EnvFiles: q.EnvFiles, Env: q.Env, Stdin: q.Stdin,
	})
	if err != nil {
		return startPlan{}, err
	}
	return startPlan{p, termtext.Line(q.Name, maxName), q.Watch, ready, q.Ends, q.Ordered, q.Terminal}, nil
}

// label is the name of the program in output.
func (p startPlan) label() string {
	if p.name == "" {
		return termtext.Line(filepath.Base(p.exec.Argv[0]), maxName)
	}
	return p.name
}

func (p startPlan) step() *Step {
	step := p.execPlan.step()
	step.Name, step.Ready = p.name, p.ready.String()
	return step
}

func claimStart(p startPlan) capability.Claim {
	c := claimExec(p.execPlan)
	p.ready.claim(&c)
	return c
}

// previewStart supposes that a program prints the first text that it is watched for,
// becomes ready, and succeeds, or runs until it is interrupted if the run is one of a
// server and it does not end by itself.
func (r *Runner) previewStart(p startPlan) (abi.ProcessStartResult, []string, error) {
	s := &started{planned: true, endless: r.opts.Serves && !p.ends, ready: p.ready != readiness{}}
	unknown := []string{"its output"}
	if len(p.watch) > 0 {
		s.seen = p.watch[:1]
		unknown = []string{"its output, taken to have " + strconv.Quote(p.watch[0])}
	}
	if s.endless {
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
	if err := p.ready.checkFree(ctx); err != nil {
		return abi.ProcessStartResult{}, hostfuncs.OfField("ready", err)
	}
	s := &started{gone: make(chan struct{})}
	run := ctx
	if p.ordered {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, s.cancel = context.WithCancelCause(ctx)
	if err := r.started.add(s); err != nil {
		s.cancel(nil)
		return abi.ProcessStartResult{}, err
	}
	if p.name != "" {
		r.opts.Screen.NameAll()
	}
	out := r.newOutput(p.label(), p.terminal, lookout{
		watch: p.watch, ready: p.ready.log,
		found:  func(line string) { r.started.update(func() { s.seen = append(s.seen, line) }) },
		became: func() { r.started.update(func() { s.ready = true }) },
	})
	s.removed = out.shown.Remove
	out.receive(&cmd)
	runs, failed := make(chan struct{}), make(chan error, 1)
	cmd.Started = func() { close(runs) }
	r.started.group.Go(func() {
		defer close(s.gone)
		defer s.cancel(nil)
		res, err := r.run(ctx, cmd, p.label(), 0)
		err = errors.Join(err, out.close())
		select {
		case <-runs:
		default:
			failed <- err
			return
		}
		_, over := asksToEnd(ctx)
		r.started.update(func() {
			s.ended, s.err = true, err
			s.exit = abi.ProcessExit{
				ID: s.id, ExitCode: res.ExitCode, Signal: res.Signal, Interrupted: res.Interrupted && over, Tail: out.tail(),
			}
		})
	})
	if p.ordered {
		r.started.group.Go(func() { s.followKill(run, ctx) })
	}
	select {
	case <-runs:
		if p.ready.port != 0 {
			r.started.group.Go(func() { r.awaitReady(ctx, s, p.ready) })
		}
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
	clock   bool
	keys    []abi.Key
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
			if err := checkKeys(q.Keys); err != nil {
				return waitPlan{}, err
			}
			of, err := r.started.find(abi.OpProcessWait, q.IDs)
			return waitPlan{of, time.Duration(q.TimeoutMS) * time.Millisecond, q.Clock, q.Keys, err}, nil
		},
		Claim: func(waitPlan) capability.Claim { return capability.Claim{Own: true} },
		Do:    r.doWait,
	}
}

func (r *Runner) doWait(ctx context.Context, p waitPlan) (abi.ProcessWaitResult, error) {
	switch {
	case p.missing != nil:
		return abi.ProcessWaitResult{}, p.missing
	case len(p.of) == 0 && p.timeout == 0:
		return abi.ProcessWaitResult{}, abi.Errorf(abi.CodeInvalid, "process_wait: no program was started, or all were waited for")
	}
	begun := time.Now()
	result, err := r.waitTyping(ctx, p)
	if p.clock {
		result.WaitedMS = time.Since(begun).Milliseconds()
	}
	return result, err
}

// stopPlan says which program to end, and how.
type stopPlan struct {
	program *started
	signal  os.Signal
	grace   time.Duration
	noWait  bool
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
			if s := p.program; !s.asked {
				s.asked = true
				if !s.planned && s.files == nil {
					r.opts.Ends()
				}
				r.started.askToEnd(ctx, p)
			}
			if p.noWait {
				return abi.ProcessExit{}, nil
			}
			return r.started.ended(ctx, p.program)
		},
	}
}

// stopSignals are the signals that ask a program to end.
var stopSignals = map[string]os.Signal{
	"": syscall.SIGTERM, "SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP, "SIGQUIT": syscall.SIGQUIT,
}

func (r *Runner) resolveStop(_ context.Context, q abi.ProcessStopRequest) (stopPlan, error) {
	signal, ok := stopSignals[q.Signal]
	if !ok || q.GraceMS < 0 {
		return stopPlan{}, abi.Errorf(abi.CodeInvalid, "process_stop: signal must be SIGTERM, SIGINT, SIGHUP or SIGQUIT, and grace_ms must not be negative")
	}
	p := stopPlan{signal: signal, grace: r.opts.Grace, noWait: q.NoWait}
	if q.GraceMS > 0 {
		p.grace = min(p.grace, time.Duration(q.GraceMS)*time.Millisecond)
	}
	of, err := r.started.find(abi.OpProcessStop, []int{q.ID})
	if p.missing = err; err == nil {
		p.program = of[0]
	}
	return p, nil
}
