package sandbox

import (
	"strconv"
	"sync"
	"time"
)

// lookAfter is the least time between two looks at a helper.
const lookAfter = 10 * time.Millisecond

// stalledAfter is how long a helper whose turn it is may use no processor time, as
// one does that waits for a file for ever. Tests shorten it.
var stalledAfter = time.Minute

// meter bounds what a helper does for one request of the host: processor time, and
// the number of host calls. The helper's time does not count while the host works.
type meter struct {
	process *process
	limit   time.Duration
	reached error
	before  time.Duration // the processor time used before
	calls   int           // host calls that are left

	mu      sync.Mutex
	timer   *time.Timer
	waits   bool          // the timer has not fired
	running bool          // it is the helper's turn
	since   time.Time     // the helper's turn began
	turns   time.Duration // how long its earlier turns were
	used    time.Duration // at the last look
	usedAt  time.Duration // how long its turns were when it last used some
}

// meterLoad starts to bound loading.
func meterLoad(p *process, limits Limits) *meter {
	reached := &LimitError{What: "processor time for loading", Limit: limits.Load.String(), Bound: BoundLoad}
	p.bound(limits.Load, reached, &LimitError{What: "memory for loading", Limit: size(limits.LoadMemory), Bound: BoundLoadMemory})
	return startMeter(p, limits.Load, reached, 0)
}

// meterTurn starts to bound a turn. An interpreted module is given less time, and then
// all of it in compiled code.
func (m *Module) meterTurn() *meter {
	limit, reached := m.limits.CPU, error(&LimitError{What: "computing time", Limit: m.limits.CPU.String()})
	if !m.compiled {
		limit, reached = min(limit, interpretFor), errOutgrown
	}
	m.process.bound(limit, reached, &LimitError{What: "memory, with that of its process,", Limit: size(m.limits.space()), Bound: BoundLoadMemory})
	return startMeter(m.process, limit, reached, m.limits.Calls)
}

func startMeter(p *process, limit time.Duration, reached error, calls int) *meter {
	before, _ := p.cpuTime()
	m := &meter{process: p, limit: limit, reached: reached, before: before, calls: calls, running: true, since: time.Now()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waits, m.timer = true, time.AfterFunc(lookAfter, m.look)
	return m
}

// look ends a helper that has reached its limit, or that does nothing.
func (m *meter) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waits = false
	if !m.running {
		return
	}
	turns := m.turns + time.Since(m.since)
	used, ok := m.process.cpuTime()
	if used -= m.before; !ok {
		used = turns // which is more
	}
	if used > m.used {
		m.used, m.usedAt = used, turns
	}
	switch {
	case used >= m.limit:
		m.process.end(m.reached)
	case turns-m.usedAt >= stalledAfter:
		m.process.end(&LimitError{What: "time to get on", Limit: stalledAfter.String()})
	default:
		// Several threads make it shorter, and the next look comes then.
		m.waits = true
		m.timer.Reset(max(lookAfter, min(time.Second, (m.limit-used)/8)))
	}
}

func (m *meter) pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = false
	m.turns += time.Since(m.since)
}

// resume leaves a timer that runs as it is: turns can be shorter than the time
// between two looks.
func (m *meter) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running, m.since = true, time.Now()
	if !m.waits {
		m.waits = true
		m.timer.Reset(lookAfter)
	}
}

// countCall refuses a host call that is one too many.
func (m *meter) countCall(most int) error {
	if m.calls--; m.calls < 0 {
		return &LimitError{What: "number of host calls", Limit: strconv.Itoa(most)}
	}
	return nil
}

// size is a number of bytes in the largest unit of which it has whole ones.
func size(bytes uint64) string {
	for _, unit := range []struct {
		name  string
		shift uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if bytes >= 1<<unit.shift && bytes%(1<<unit.shift) == 0 {
			return strconv.FormatUint(bytes>>unit.shift, 10) + " " + unit.name
		}
	}
	return strconv.FormatUint(bytes, 10) + " bytes"
}
