package sandbox_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// TestGarbageOfCalls wants what calls leave behind to be collected while the
// module computes. Without that there would be more than a gigabyte.
func TestGarbageOfCalls(t *testing.T) {
	m, err := sandbox.Open(t.Context(), guest(t, "kernel-calls"), sandbox.Options{Limits: sandbox.Limits{CPU: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	before := heap()
	if _, err := m.Call(t.Context(), "dev", nil); err != nil {
		t.Fatal(err)
	}
	if grown := heap() - before; grown > 512<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// heap is the most that the heap ever had, about.
func heap() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapSys)
}
