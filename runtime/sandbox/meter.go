package sandbox

import (
	"strconv"
	"sync"
	"time"
)

// checkInterval is the shortest time between two checks of a helper.
const checkInterval = 10 * time.Millisecond

// stalledAfter is how long a helper may use no processor time while the host waits for
// it, such as one that waits for a file. Tests shorten it.
var stalledAfter = time.Minute

// meter bounds the processor time and the host calls of one request to the helper. It is
// paused while the host works.
type meter struct {
	process *process
	limit   time.Duration
	reached error
	before  time.Duration // processor time of earlier requests
	calls   int           // remaining host calls

	mu      sync.Mutex
	timer   *time.Timer
	pending bool          // the timer has not fired
	running bool          // the helper works, and the host waits
	since   time.Time     // when the helper began to work
	turns   time.Duration // how long the helper worked before
	used    time.Duration // processor time at the last check
	usedAt  time.Duration // how long the helper had worked when used last grew
}

// meterLoad bounds loading from now on.
func meterLoad(p *process, limits Limits) *meter {
	reached := &LimitError{What: "processor time for loading", Limit: limits.Load.String()}
	p.bound(limits.Load, reached, &LimitError{What: "memory for loading", Limit: size(limits.LoadMemory)})
	return startMeter(p, limits.Load, reached, 0)
}

// meterCall bounds a call from now on.
func meterCall(p *process, limits Limits) *meter {
	reached := &LimitError{What: "computing time", Limit: limits.CPU.String()}
	p.bound(limits.CPU, reached, &LimitError{What: "process memory", Limit: size(limits.space())})
	return startMeter(p, limits.CPU, reached, limits.Calls)
}

func startMeter(p *process, limit time.Duration, reached error, calls int) *meter {
	before, _ := p.cpuTime()
	m := &meter{process: p, limit: limit, reached: reached, before: before, calls: calls, running: true, since: time.Now()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending, m.timer = true, time.AfterFunc(checkInterval, m.check)
	return m
}

// check ends a helper that has reached its limit or makes no progress.
func (m *meter) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = false
	if !m.running {
		return
	}
	turns := m.turns + time.Since(m.since)
	used, ok := m.process.cpuTime()
	if used -= m.before; !ok {
		used = turns
	}
	if used > m.used {
		m.used, m.usedAt = used, turns
	}
	switch {
	case used >= m.limit:
		m.process.end(m.reached)
	case turns-m.usedAt >= stalledAfter:
		m.process.end(&LimitError{What: "time without progress", Limit: stalledAfter.String()})
	default:
		// Several threads can use the rest in an eighth of the time.
		m.pending = true
		m.timer.Reset(max(checkInterval, min(time.Second, (m.limit-used)/8)))
	}
}

func (m *meter) pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = false
	m.turns += time.Since(m.since)
}

// resume does not reset a pending timer: the helper may work for less than the interval
// each time, and would never be checked.
func (m *meter) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running, m.since = true, time.Now()
	if !m.pending {
		m.pending = true
		m.timer.Reset(checkInterval)
	}
}

// countCall refuses host calls beyond the limit.
func (m *meter) countCall(most int) error {
	if m.calls--; m.calls < 0 {
		return &LimitError{What: "number of host calls", Limit: strconv.Itoa(most)}
	}
	return nil
}

// size formats a number of bytes in the largest unit that gives a whole number.
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
