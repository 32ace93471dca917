package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
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

// interruptible returns a context that ends at the first interrupt; a second
// one kills what still runs. A signal that was ignored when we were started,
// as nohup does, stays ignored. What has not ended a while after that is ended
// as it is, as kill -9 would.
func (a *app) interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	done, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		kill := make(chan struct{})
		select {
		case sig := <-signals:
			cancel(hostfuncs.Interrupt(sig, kill))
		case <-done:
			return
		}
		begun := time.Now()
		over := time.After(a.patience(runPatience))
		for second := signals; ; {
			select {
			case <-second:
				close(kill)
				second, over = nil, time.After(a.patience(killPatience))
			case <-over:
				a.abandon(time.Since(begun))
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		<-finished
		cancel(nil)
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
