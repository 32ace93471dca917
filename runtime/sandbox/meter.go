package sandbox

import (
	"context"
	"sync"
	"time"
)

// meter bounds one call: the time that the module itself takes, and the
// number of its host calls. It runs while the module does and stands still
// while the host works.
type meter struct {
	limits Limits
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	left  time.Duration
	since time.Time
	timer *time.Timer
	calls int
}

func startMeter(limits Limits, cancel context.CancelCauseFunc) *meter {
	m := &meter{limits: limits, cancel: cancel, left: limits.CPU, since: time.Now()}
	m.timer = time.AfterFunc(m.left, m.expire)
	return m
}

func (m *meter) expire() {
	m.stop(&LimitError{What: "computing time", Limit: m.limits.CPU.String()})
}

// stop ends the module with a reason; the first one counts.
func (m *meter) stop(reason error) { m.cancel(reason) }

func (m *meter) pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timer.Stop()
	m.left -= time.Since(m.since)
}

func (m *meter) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since = time.Now()
	m.timer.Reset(max(m.left, 0))
}

// countCall tells whether one more host call is within the limit, and stops
// the module when it isn't.
func (m *meter) countCall() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.calls <= m.limits.Calls {
		return true
	}
	m.stop(&LimitError{What: "number of host calls", Limit: count(m.limits.Calls)})
	return false
}
