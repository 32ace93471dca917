package session

import (
	"context"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
)

// door is the way from a module to its gate. Until there is one, while the
// module starts and describes itself, nothing can be asked for.
type door struct {
	// ctx is the run's own: it ends at an interrupt, and what runs for the
	// provider with it, while the provider itself has the grace period to hear
	// of that.
	ctx  context.Context
	gate *hostfuncs.Gate
}

// Call implements [sandbox.Host]. ctx is that of the module, which ends later.
func (d *door) Call(ctx context.Context, operation string, request []byte) []byte {
	if d.gate == nil {
		return []byte(`{"error":{"code":"invalid","message":"nothing can be asked for before dev, build_docker or validate"}}`)
	}
	return d.gate.Call(exec.Lingering(d.ctx, ctx), operation, request)
}

// stopAfter is how long a provider has, after what it started has ended, to
// return from an interrupted call.
const stopAfter = 5 * time.Second

// hardContext outlives ctx by the time that an interrupted provider has.
func hardContext(ctx context.Context) (context.Context, context.CancelFunc) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var timer *time.Timer
	ready := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer = time.AfterFunc(Grace+stopAfter, func() { cancel(context.Cause(ctx)) })
		close(ready)
	})
	return hard, func() {
		if !stop() {
			<-ready
			timer.Stop()
		}
		cancel(nil)
	}
}
