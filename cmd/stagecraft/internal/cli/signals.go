package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
)

// interruptible returns a context that ends at the first interrupt; a second
// one kills what still runs. A signal that was ignored when we were started,
// as nohup does, stays ignored.
func interruptible(parent context.Context) (context.Context, func()) {
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
		select {
		case <-signals:
			close(kill)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		<-finished
		cancel(nil)
	}
}
