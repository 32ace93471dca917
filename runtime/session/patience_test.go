package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience: an interrupted provider has 5 s without a call of the host, and 15 s in
// all.
func TestPatience(t *testing.T) {
	interrupt := errors.New("Ctrl-C")
	for name, tt := range map[string]struct {
		call time.Duration // from before the interrupt to after it, 0 is none
		ends time.Duration // when it begins to end a program, 0 is never
		want time.Duration
	}{
		"computes":            {0, 0, 5 * time.Second},
		"computes at last":    {2 * time.Second, 0, 7 * time.Second},
		"commands take long":  {12 * time.Second, 0, 15 * time.Second},
		"a call does not end": {time.Hour, 0, 15 * time.Second},
		"ends its programs":   {time.Hour, 8 * time.Second, 23 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				hard, p, stop := patient(ctx)
				defer stop()
				if tt.call > 0 {
					p.called(1)
					time.AfterFunc(tt.call, func() { p.called(-1) })
				}
				if tt.ends > 0 {
					time.AfterFunc(tt.ends, p.extend)
				}
				start := time.Now()
				cancel(interrupt)
				<-hard.Done()
				if took := time.Since(start); took != tt.want || !errors.Is(context.Cause(hard), interrupt) {
					t.Errorf("ended after %v by %v, want %v", took, context.Cause(hard), tt.want)
				}
			})
		})
	}
}

// TestPatienceEnds: a provider that returns in time is not stopped.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		hard, p, stop := patient(ctx)
		p.called(1)
		cancel(errors.New("Ctrl-C"))
		synctest.Wait()
		p.called(-1)
		if hard.Err() != nil {
			t.Error("stopped at once")
		}
		stop()
		if cause := context.Cause(hard); !errors.Is(cause, context.Canceled) {
			t.Errorf("ended by %v", cause)
		}
	})
}
