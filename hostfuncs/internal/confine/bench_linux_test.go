package confine

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkPrepare measures what confining adds before the start of a program.
func BenchmarkPrepare(b *testing.B) {
	r, err := Profile("node", Surroundings{Home: "/root", Temp: os.TempDir()})
	must(b, err)
	r = r.Resolved(filepath.EvalSymlinks)
	if s := Probe(); len(r.Missing(s)) > 0 {
		b.Skip(r.Missing(s))
	}
	for b.Loop() {
		p, err := r.Prepare(Probe(), []int{1, 2})
		must(b, err)
		must(b, p.Close())
	}
}

// onThread runs on a thread that ends with it.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}
