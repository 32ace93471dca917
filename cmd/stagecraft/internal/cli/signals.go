package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// How long a command may take to end after a signal, and after a second one.
const (
	// patience is for one that starts nothing: what it waits for may be a file
	// system that doesn't answer, or whoever reads its output.
	patience = 2 * time.Second
	// runPatience is for a run, whose processes have their grace first.
	runPatience  = session.Grace + 5*time.Second
	killPatience = 5 * time.Second
)

// endings are the signals that end a run: what runs gets the first of them.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// signals takes the signals that this process gets: docs/scripting.md has the table.
type signals struct {
	app    *app
	got    chan os.Signal
	cancel context.CancelCauseFunc // ends what runs

	left  time.Time        // when a Ctrl-C was left to a program
	begun time.Time        // when the first signal that ends came
	kill  chan struct{}    // closed at the second one; nil before the first and after the second
	over  <-chan time.Time // when to give up; nil before the first
}

// watchSignals returns a context that ends at the first signal that ends a run. A
// second one kills what still runs. What has not ended a while after that is ended
// as it is, as kill -9 would. All other signals are for the programs that run.
//
// A signal that was ignored when we were started, as nohup does, stays ignored.
// None is given back to the Go runtime at the end, which would print a trace.
func (a *app) watchSignals(parent context.Context) (ctx context.Context, stop func()) {
	s := &signals{app: a, got: make(chan os.Signal, 64)}
	ctx, s.cancel = context.WithCancelCause(parent)
	for _, sig := range slices.Concat(endings, fatal, passed()) {
		if !signal.Ignored(sig) {
			signal.Notify(s.got, sig)
		}
	}
	done, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		s.watch(done)
	}()
	return ctx, func() {
		close(done)
		<-finished
		s.cancel(nil)
	}
}

func (s *signals) watch(done <-chan struct{}) {
	for {
		select {
		case sig := <-s.got:
			s.take(sig)
		case <-s.over:
			s.app.abandon(time.Since(s.begun))
		case <-done:
			return
		}
	}
}

// take decides what a signal does.
func (s *signals) take(sig os.Signal) {
	switch {
	case sig == os.Interrupt && s.begun.IsZero() && session.Interactive():
		s.leave(sig, time.Now())
	case slices.Contains(endings, sig):
		s.end(sig)
	case !session.PassSignal(sig) && slices.Contains(fatal, sig):
		s.end(sig)
	}
}

// twice is the time within which a second Ctrl-C ends a run whose program lives with
// the first.
const twice = time.Second

// leave leaves Ctrl-C to an interactive program. The second within a moment ends the
// run by SIGTERM, since Ctrl-C doesn't end the program.
func (s *signals) leave(sig os.Signal, now time.Time) {
	session.PassSignal(sig)
	if !s.left.IsZero() && now.Sub(s.left) < twice {
		s.end(syscall.SIGTERM)
	}
	s.left = now
}

// end ends the run, and at the second time kills what still runs.
func (s *signals) end(sig os.Signal) {
	switch {
	case s.begun.IsZero():
		s.begun, s.kill = time.Now(), make(chan struct{})
		s.over = time.After(s.app.patience(runPatience))
		s.cancel(session.Interrupt(sig, s.kill))
	case s.kill != nil:
		close(s.kill)
		s.kill, s.over = nil, time.After(s.app.patience(killPatience))
	}
}

// patience is the one for a run while there may be one.
func (a *app) patience(run time.Duration) time.Duration {
	if a.runs.Load() {
		return run
	}
	return min(patience, run)
}

// abandon ends the process. Guards end what it started, as after kill -9.
func (a *app) abandon(waited time.Duration) {
	told := make(chan struct{})
	go func() {
		// Nobody may read it, and it may be that which everything waits for.
		fmt.Fprintf(a.Stderr, "error: interrupted, and not at an end after %v: gave up\n", waited.Round(time.Second))
		close(told)
	}()
	select {
	case <-told:
	case <-time.After(time.Second):
	}
	os.Exit(ExitInterrupted)
}
