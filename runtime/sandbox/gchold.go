package sandbox

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// gcHold keeps the garbage collector from running while a module computes.
// Compiled Wasm can't be preempted: a collection that began meanwhile would
// stop every other goroutine until the module comes back, the watchdog among
// them, and a module that never comes back would then hang the process for
// good. See "Why is the garbage collector off while a module computes?" in
// RATIONALE.md. The setting is the process's, so all modules share one hold.
var gcHold struct {
	mu      sync.Mutex
	holders int
	percent int
}

// holdGC returns when no collection is under way and none can begin.
func holdGC() {
	gcHold.mu.Lock()
	defer gcHold.mu.Unlock()
	if gcHold.holders++; gcHold.holders > 1 {
		return
	}
	gcHold.percent = debug.SetGCPercent(-1)
	// A goroutine that saw before that a collection was due may yet start it.
	// A collection of our own has to wait for that one. And a collection still
	// visits every processor once who waits for it has been let go; reading the
	// statistics has to wait for the end of that.
	runtime.GC()
	runtime.ReadMemStats(new(runtime.MemStats))
}

func releaseGC() {
	gcHold.mu.Lock()
	defer gcHold.mu.Unlock()
	if gcHold.holders--; gcHold.holders == 0 {
		debug.SetGCPercent(gcHold.percent)
	}
}

const (
	// lendAfter is how long the host may take before the collector is let go
	// meanwhile. Most calls are over much sooner, and a hold costs a
	// collection.
	lendAfter = 100 * time.Millisecond
	// lendBytes is how much may be left to collect before that is due anyhow.
	lendBytes = 64 << 20
)

// gcLease is one module's hold, lent to the host while that works.
type gcLease struct {
	mu    sync.Mutex
	held  bool
	turn  int
	timer *time.Timer
	bytes int
}

func (l *gcLease) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(true)
}

func (l *gcLease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	l.set(false)
}

func (l *gcLease) set(held bool) {
	if held == l.held {
		return
	}
	l.held = held
	if held {
		holdGC()
	} else {
		releaseGC()
	}
}

// lend lets the collector go if the host takes long.
func (l *gcLease) lend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	turn := l.turn
	l.timer = time.AfterFunc(lendAfter, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.turn == turn {
			l.set(false)
		}
	})
}

// takeBack holds the collector again, after a call that left that many bytes to
// be collected.
func (l *gcLease) takeBack(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	l.timer.Stop()
	l.count(bytes)
	l.set(true)
}

// left notes what is to be collected while nothing is lent.
func (l *gcLease) left(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held := l.held; l.count(bytes) {
		l.set(held)
	}
}

// count lets the collector go when much is to be collected; holding it again
// begins with a collection.
func (l *gcLease) count(bytes int) (due bool) {
	if l.bytes += bytes; l.bytes <= lendBytes {
		return false
	}
	l.bytes = 0
	l.set(false)
	return true
}
