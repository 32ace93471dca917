package confine

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// BenchmarkApply measures what confining adds to the start of a program: a
// thread of its own for each one, the rules of a profile, fork and exec.
func BenchmarkApply(b *testing.B) {
	r, err := Profile("node", Surroundings{Home: "/root", Temp: os.TempDir()})
	must(b, err)
	r = r.Resolved(filepath.EvalSymlinks)
	s := Probe()
	if len(r.Missing(s)) > 0 {
		b.Skip(r.Missing(s))
	}
	for _, bb := range []struct {
		name  string
		apply func() error
	}{
		{"exec", func() error { return nil }},
		{"apply and exec", func() error { _, err := r.Apply(s); return err }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				must(b, startOnThread(bb.apply))
			}
		})
	}
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			must(b, onThread(func() error { _, err := r.Apply(s); return err }))
		}
	})
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

func startOnThread(apply func() error) error {
	return onThread(func() error {
		if err := apply(); err != nil {
			return err
		}
		process, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
		if err != nil {
			return err
		}
		_, err = process.Wait()
		return err
	})
}
