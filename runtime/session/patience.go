package session

import (
	"context"
	"sync"
	"time"
)

// Grace is how long commands have to end after an interrupt.
const Grace = 10 * time.Second

// stopAfter is how long an interrupted provider may compute, and how long it has to return
// after its commands have ended.
const stopAfter = 5 * time.Second

// patience is the time that an interrupted provider has to return: Grace and stopAfter in
// all, and stopAfter without a call of the host. A provider that ends its programs one
// after another has that time for each of them.
type patience struct {
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	cause error     // of the interrupt, or nil
	end   time.Time // of all patience
	calls int       // of the host that run now
	timer *time.Timer
}

// patient returns a context that outlives ctx by the patience. stop ends both.
func patient(ctx context.Context) (hard context.Context, p *patience, stop func()) {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	p = &patience{cancel: cancel}
	interrupted := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		p.interrupt(context.Cause(ctx))
		close(interrupted)
	})
	return hard, p, func() {
		if !stopped() {
			<-interrupted
			p.timer.Stop()
		}
		cancel(nil)
	}
}

func (p *patience) interrupt(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cause, p.end = cause, time.Now().Add(Grace+stopAfter)
	p.timer = time.AfterFunc(Grace+stopAfter, func() { p.cancel(cause) })
	p.reset()
}

// called is called when a call of the host begins, with 1, and when it ends, with -1.
func (p *patience) called(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls += n
	if p.cause != nil {
		p.reset()
	}
}

// extend is called when the provider begins to end one of its programs, once for each.
func (p *patience) extend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil {
		p.end = time.Now().Add(Grace + stopAfter)
		p.reset()
	}
}

func (p *patience) reset() {
	left := time.Until(p.end)
	if p.calls == 0 {
		left = min(left, stopAfter)
	}
	p.timer.Reset(left)
}
