// Package collector has the garbage collector wait at first: most runs end before a
// collection would be worth its time.
package collector

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// latePercent is the GOGC value by which the first collection begins when the heap
	// has 64 MiB. By default it begins at 4 MiB, and the limit grows with this value.
	latePercent = 1600
	// usualPercent is the runtime's default.
	usualPercent = 100
)

// Delay delays the first collection until the heap has 64 MiB. From then on collections
// are as usual. A user who sets GOGC decides alone.
func Delay() {
	if _, set := os.LookupEnv("GOGC"); set {
		return
	}
	debug.SetGCPercent(latePercent)
	// Nothing refers to it, so the first collection frees it.
	runtime.AddCleanup(new([64]byte), func(percent int) { debug.SetGCPercent(percent) }, usualPercent)
}
