package embedded

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestMemory builds, compresses and writes much more than may be allocated.
func TestMemory(t *testing.T) {
	b := aBuild(t, map[string]string{"Dockerfile": "FROM scratch AS a\nCOPY large /\nFROM a\nCOPY --from=a /large /again\n", "large": ""})
	if err := os.Truncate(filepath.Join(b.Context, "large"), 128<<20); err != nil {
		t.Fatal(err)
	}
	o := options(t, b)
	var peak uint64
	o.Step = func(string) { peak = max(peak, heap()) }
	before := heap()
	built := mustBuild(t, b, o)
	peak = max(peak, heap())
	if err := built.WriteTar(writerFunc(func(p []byte) (int, error) {
		peak = max(peak, heap())
		return len(p), nil
	}), nil); err != nil {
		t.Fatal(err)
	}
	l := built.layers[0].(*layer)
	r := compress(must(l.Uncompressed())(t))
	defer r.Close()
	if _, err := io.Copy(writerFunc(func(p []byte) (int, error) {
		peak = max(peak, heap())
		return len(p), nil
	}), r); err != nil {
		t.Fatal(err)
	}
	if used := int64(peak) - int64(before); used > 64<<20 {
		t.Errorf("%d MiB were in use at once", used>>20)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
