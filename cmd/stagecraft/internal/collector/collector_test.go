package collector_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/collector"
)

var sink []byte

// allocate makes garbage.
func allocate(mebibytes int) {
	for range mebibytes {
		sink = make([]byte, 1<<20)
	}
}

func collections() uint32 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NumGC
}

// percent reads the current GOGC value.
func percent() int {
	now := debug.SetGCPercent(-1)
	debug.SetGCPercent(now)
	return now
}

func TestDelay(t *testing.T) {
	defer debug.SetGCPercent(percent())
	runtime.GC()
	before := collections()
	collector.Delay()
	allocate(40)
	if n := collections() - before; n != 0 {
		t.Errorf("%d collections in 40 MiB", n)
	}
	allocate(40)
	if collections() == before {
		t.Error("no collection in 80 MiB")
	}
	for deadline := time.Now().Add(10 * time.Second); percent() != 100; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("GOGC is %d after a collection", percent())
		}
	}
}

func TestDelayLeavesGOGC(t *testing.T) {
	t.Setenv("GOGC", "150")
	defer debug.SetGCPercent(debug.SetGCPercent(150))
	collector.Delay()
	if got := percent(); got != 150 {
		t.Errorf("GOGC is %d, the user set 150", got)
	}
}
