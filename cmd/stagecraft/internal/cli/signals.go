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
	// commandTimeout is for a command that starts nothing. It may wait for a file
	// system, or for the reader of its output.
	commandTimeout = 2 * time.Second
	// runTimeout is for a run, whose processes get their grace period first.
	runTimeout  = session.Grace + 5*time.Second
	killTimeout = 5 * time.Second
)

// endings are the signals that end a run; its programs get the first one.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// signals handles the signals of this process; docs/scripting.md has the table.
type signals struct {
	app    *app
	got    chan os.Signal
	cancel context.CancelCauseFunc // ends the run

	left    time.Time        // when the last Ctrl-C was left to a program
	ending  time.Time        // when the first ending signal came
	kill    chan struct{}    // closed at the second one; nil before the first and after the second
	timeout <-chan time.Time // when to abandon the run; nil before the first
}

// watchSignals returns a context that ends at the first ending signal. A second one
// kills what still runs. If the process has not ended some time after that, it exits
// as if by kill -9. All other signals are passed on to programs, and are handled once
// handled is closed. Until then they have their default actions.
//
// A signal that was ignored at start, as by nohup, stays ignored. No signal is given
// back to the Go runtime at the end: it would print a trace.
func (a *app) watchSignals(parent context.Context) (ctx context.Context, stop func()) {
	s := &signals{app: a, got: make(chan os.Signal, 64)}
	ctx, s.cancel = context.WithCancelCause(parent)
	s.notify(endings)
	// Each signal takes two switches of threads, all together a fifth of the time of version.
	a.handled = make(chan struct{})
	go func() {
		defer close(a.handled)
		s.notify(fatal)
		s.notify(passed())
		if a.SignalsHandled != nil {
			a.SignalsHandled()
		}
	}()
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

// notify handles signals, except those that are ignored.
func (s *signals) notify(list []os.Signal) {
	for _, sig := range list {
		if !signal.Ignored(sig) {
			signal.Notify(s.got, sig)
		}
	}
}

func (s *signals) watch(done <-chan struct{}) {
	for {
		select {
		case sig := <-s.got:
			s.handle(sig)
		case <-s.timeout:
			s.app.abandon(time.Since(s.ending))
		case <-done:
			return
		}
	}
}

// handle decides what a signal does.
func (s *signals) handle(sig os.Signal) {
	switch {
	case sig == os.Interrupt && s.ending.IsZero() && session.Interactive():
		s.leave(sig, time.Now())
	case slices.Contains(endings, sig):
		s.end(sig)
	case !session.PassSignal(sig) && slices.Contains(fatal, sig):
		s.end(sig)
	}
}

// doubleInterrupt is the time between two Ctrl-C that end an interactive run.
const doubleInterrupt = time.Second

// leave leaves Ctrl-C to an interactive program. A quick second one ends the run by
// SIGTERM, because Ctrl-C does not end the program.
func (s *signals) leave(sig os.Signal, now time.Time) {
	session.PassSignal(sig)
	if !s.left.IsZero() && now.Sub(s.left) < doubleInterrupt {
		s.end(syscall.SIGTERM)
	}
	s.left = now
}

// end ends the run; the second call kills what still runs.
func (s *signals) end(sig os.Signal) {
	switch {
	case s.ending.IsZero():
		s.ending, s.kill = time.Now(), make(chan struct{})
		s.timeout = time.After(s.app.endTimeout(runTimeout))
		s.cancel(session.Interrupt(sig, s.kill))
	case s.kill != nil:
		close(s.kill)
		s.kill, s.timeout = nil, time.After(s.app.endTimeout(killTimeout))
	}
}

// endTimeout returns run if processes may be running, and otherwise less.
func (a *app) endTimeout(run time.Duration) time.Duration {
	if a.running.Load() {
		return run
	}
	return min(commandTimeout, run)
}

// abandon ends the process. Guards end its processes, as after kill -9.
func (a *app) abandon(waited time.Duration) {
	printed := make(chan struct{})
	go func() {
		// The write may block: a full pipe may be why the run did not end.
		fmt.Fprintf(a.Stderr, "error: interrupted, and still running after %v: exiting\n", waited.Round(time.Second))
		close(printed)
	}()
	select {
	case <-printed:
	case <-time.After(time.Second):
	}
	os.Exit(ExitInterrupted)
}
