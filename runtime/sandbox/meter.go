package sandbox

import (
	"strconv"
	"sync"
	"time"
)

// meter bounds one call: the time that the module itself takes, and the
// number of its host calls. It runs while the module does and stands still
// while the host works.
type meter struct {
	limits Limits

	mu    sync.Mutex
	left  time.Duration
	since time.Time
	timer *time.Timer
	calls int
}

func startMeter(p *process, limits Limits) *meter {
	reached := &LimitError{What: "computing time", Limit: limits.CPU.String()}
	p.bound(limits.CPU, reached, &LimitError{What: "memory, with that of its process,", Limit: size(limits.space())})
	m := &meter{limits: limits, left: limits.CPU, since: time.Now()}
	m.timer = time.AfterFunc(m.left, func() { p.end(reached) })
	return m
}

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

// countCall refuses a host call that is one too many.
func (m *meter) countCall() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls++; m.calls > m.limits.Calls {
		return &LimitError{What: "number of host calls", Limit: strconv.Itoa(m.limits.Calls)}
	}
	return nil
}

// loadStep is the least time between two looks at a helper that loads.
const loadStep = 10 * time.Millisecond

// stalledAfter is how long a helper that loads may use no processor time, as one
// does that waits for a file for ever. Tests shorten it.
var stalledAfter = time.Minute

// loadWatch bounds the processor time of loading.
type loadWatch struct {
	process *process
	limit   time.Duration
	reached error

	mu      sync.Mutex
	stopped bool
	timer   *time.Timer
	used    time.Duration // when the helper last got on
	at      time.Time
}

func watchLoad(p *process, limits Limits) *loadWatch {
	reached := &LimitError{What: "processor time for loading", Limit: limits.Load.String()}
	p.bound(limits.Load, reached, &LimitError{What: "memory for loading", Limit: size(limits.LoadMemory)})
	w := &loadWatch{process: p, limit: limits.Load, reached: reached, at: time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(loadStep, w.look)
	return w
}

func (w *loadWatch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	used := w.process.cpuTime()
	if used > w.used {
		w.used, w.at = used, time.Now()
	}
	switch {
	case w.stopped:
	case used >= w.limit:
		w.process.end(w.reached)
	case time.Since(w.at) >= stalledAfter:
		w.process.end(&LimitError{What: "time to get on with loading", Limit: stalledAfter.String()})
	default:
		// Several processors make it shorter, and the next look comes then.
		w.timer.Reset(max(loadStep, min(time.Second, (w.limit-used)/8)))
	}
}

func (w *loadWatch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
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
