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
	// lendBytes is how much may cross before a collection is due anyhow.
	lendBytes = 32 << 20
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

// takeBack holds the collector again, after a call in which that many bytes
// crossed.
func (l *gcLease) takeBack(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	l.timer.Stop()
	if l.bytes += bytes; l.bytes > lendBytes {
		l.bytes = 0
		l.set(false)
	}
	l.set(true)
}
