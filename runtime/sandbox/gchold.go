package sandbox

import (
	"runtime/debug"
	"sync"
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
	if gcHold.holders++; gcHold.holders == 1 {
		gcHold.percent = debug.SetGCPercent(-1)
	}
}

func releaseGC() {
	gcHold.mu.Lock()
	defer gcHold.mu.Unlock()
	if gcHold.holders--; gcHold.holders == 0 {
		debug.SetGCPercent(gcHold.percent)
	}
}
