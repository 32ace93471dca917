package sandbox

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// checkInterval is the shortest time between two checks of a helper.
const checkInterval = 10 * time.Millisecond

var (
	// stalledAfter is how long a helper may use no processor time while the host waits for
	// it, such as one that waits for a file. Tests shorten it.
	stalledAfter = time.Minute
	// idleAfter is how long a helper may use no processor time in total while the host waits
	// for it. One that wakes up now and then never stalls. It is long, since on a busy
	// machine a helper waits for a processor. Tests shorten it.
	idleAfter = 10 * time.Minute
	// pausedInterval is the time between two checks while the host works, which can be for
	// hours. Tests shorten it.
	pausedInterval = 10 * time.Second
)

// longestStep bounds the time between two checks that counts. If more has passed, this
// program was stopped.
const longestStep = 10 * time.Second

// meter bounds the processor time and the host calls of one request to the helper. While
// the host works, time does not count, but processor time does.
type meter struct {
	process *process
	limit   time.Duration
	reached error
	dir     string        // the directory for compiled code, if the helper can write to it
	before  time.Duration // processor time of earlier requests
	calls   int           // remaining host calls

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	slow    bool          // the timer fires after pausedInterval
	running bool          // the helper works, and the host waits
	since   time.Time     // when worked was last brought up to date
	worked  time.Duration // how long the helper worked
	used    time.Duration // processor time at the last check
	usedAt  time.Duration // worked when used last grew
}

// meterLoad bounds loading from now on.
func meterLoad(p *process, limits Limits, dir string) *meter {
	reached := &LimitError{What: "processor time for loading", Limit: limits.Load.String(), Bound: BoundLoad}
	p.bound(limits.Load, reached, &LimitError{What: "memory for loading", Limit: size(limits.LoadMemory), Bound: BoundLoadMemory})
	return startMeter(&meter{process: p, limit: limits.Load, reached: reached, dir: dir})
}

// meterTurn bounds a turn from now on. An interpreted module gets less time, and the whole
// limit again once it continues in compiled code.
func (m *Module) meterTurn() *meter {
	limit, reached := m.limits.CPU, error(&LimitError{What: "computing time", Limit: m.limits.CPU.String()})
	if !m.compiled {
		limit, reached = min(limit, interpretFor), errOutgrown
	}
	m.process.bound(limit, reached, &LimitError{What: "process memory", Limit: size(m.limits.space()), Bound: BoundLoadMemory})
	return startMeter(&meter{process: m.process, limit: limit, reached: reached, calls: m.limits.Calls})
}

func startMeter(m *meter) *meter {
	m.before, _ = m.process.cpuTime()
	m.running, m.since = true, time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timer = time.AfterFunc(checkInterval, m.check)
	return m
}

// check ends a helper that has reached a limit or makes no progress.
func (m *meter) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped {
		return
	}
	m.count()
	used, ok := m.process.cpuTime()
	if used -= m.before; !ok {
		used = m.worked
	}
	if used > m.used {
		m.used, m.usedAt = used, m.worked
	}
	switch {
	case used >= m.limit:
		m.process.end(m.reached)
	case m.worked-m.usedAt >= stalledAfter:
		m.process.end(&LimitError{What: "time without progress", Limit: stalledAfter.String()})
	case m.worked-used >= idleAfter:
		m.process.end(&LimitError{What: "idle time", Limit: idleAfter.String()})
	case m.dir != "" && isOverfull(m.dir):
		m.process.end(&LimitError{What: "compiled code", Limit: fmt.Sprintf("%s in %d files", size(maxCode), maxCodeFiles)})
	case !m.running:
		m.slow = true
		m.timer.Reset(pausedInterval)
	default:
		// Several threads can use the rest in an eighth of the time.
		m.timer.Reset(max(checkInterval, min(time.Second, (m.limit-used)/8)))
	}
}

// count adds the time since the last call to worked, if the helper worked.
func (m *meter) count() {
	now := time.Now()
	if m.running {
		m.worked += min(now.Sub(m.since), longestStep)
	}
	m.since = now
}

// pause is called when the host begins to work.
func (m *meter) pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count()
	m.running = false
}

// resume is called when the helper begins to work. It does not reset a timer that fires
// soon: the helper may work for less than the interval each time, and would never be
// checked.
func (m *meter) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count()
	m.running = true
	if m.slow {
		m.slow = false
		m.timer.Reset(checkInterval)
	}
}

// stop ends the checks.
func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
	m.timer.Stop()
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
