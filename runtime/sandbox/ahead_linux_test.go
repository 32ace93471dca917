package sandbox

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// startAhead starts the process for a module, and returns the process too.
func startAhead(t *testing.T, digest, cache string) (*Ahead, Options, *process) {
	t.Helper()
	opts := Options{
		Helper: TestHelper, Operations: abi.Operations(), Host: fakeHost{}, CacheDir: cache, Digest: digest,
	}
	a := Start(opts)
	t.Cleanup(a.Close)
	<-a.started
	if a.process == nil {
		t.Fatal("no process was started")
	}
	return a, opts, a.process
}

// openAhead opens a module in the process that was started ahead, if that is for it.
func openAhead(t *testing.T, a *Ahead, opts Options) *Module {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("testdata", "works.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	opts.Ahead = a
	m, err := Open(t.Context(), wasm, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(context.Background()) })
	return m
}

func isRunning(t *testing.T, p *process) bool {
	t.Helper()
	return slices.Contains(childrenOf(t, os.Getpid()), p.pid)
}

func TestAheadIsUsed(t *testing.T) {
	a, opts, p := startAhead(t, "digest", filepath.Join(t.TempDir(), "cache"))
	m := openAhead(t, a, opts)
	a.Close()
	if m.process != p {
		t.Error("the module has another process")
	}
	if _, err := m.Call(t.Context(), abi.ExportDev, nil); err != nil {
		t.Error(err)
	}
}

func TestAheadIsClosed(t *testing.T) {
	a, _, p := startAhead(t, "digest", filepath.Join(t.TempDir(), "cache"))
	a.Close()
	if isRunning(t, p) {
		t.Error("the process is left")
	}
	a.Close()
}

// TestAheadForAnother: a process that may open the directory of one module does not get
// another module.
func TestAheadForAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	compiled, err := cacheDir(dir, "digest", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(compiled, complete), 0o700); err != nil {
		t.Fatal(err)
	}
	a, opts, p := startAhead(t, "digest", dir)
	opts.Digest = "another"
	if m := openAhead(t, a, opts); m.process == p {
		t.Error("the module has the process of another")
	}
	if !isRunning(t, p) {
		t.Error("the process ended before it was closed")
	}
	a.Close()
	if isRunning(t, p) {
		t.Error("the process is left")
	}
}
