package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// host answers every call, counts them, and does nothing.
type host struct {
	calls  atomic.Int64
	answer func(operation string, request []byte) []byte
}

func (h *host) Call(_ context.Context, operation string, request []byte) []byte {
	h.calls.Add(1)
	if h.answer != nil {
		return h.answer(operation, request)
	}
	return []byte(`{"ok":{}}`)
}

func guest(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// short are limits under which a test of a limit is over soon.
var short = sandbox.Limits{CPU: 200 * time.Millisecond, Calls: 50}

func open(t testing.TB, name string, h *host) (*sandbox.Module, error) {
	t.Helper()
	return openWith(t, name, h, sandbox.Limits{CPU: time.Hour, Calls: short.Calls})
}

func openWith(t testing.TB, name string, h *host, limits sandbox.Limits) (*sandbox.Module, error) {
	t.Helper()
	m, err := sandbox.Open(t.Context(), guest(t, name), sandbox.Options{
		Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: h, Limits: limits, CacheDir: filepath.Join(t.TempDir(), "cache"),
		Warn: func(err error) { t.Errorf("warning: %v", err) },
	})
	if err == nil {
		t.Cleanup(func() {
			if err := m.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return m, err
}

func TestWorks(t *testing.T) {
	t.Parallel()
	m, err := open(t, "works", &host{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		out, err := m.Call(t.Context(), abi.ExportDev, []byte(`{}`))
		if err != nil || string(out) != `{"ok":{}}` {
			t.Fatalf("dev: %q, %v", out, err)
		}
	}
}

func TestRefusedBeforeCompiling(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"bare":           `it has no function "build_docker"`,
		"unknown-import": "it imports extism:host/user stagecraft_format_disk, which this stagecraft does not offer",
		"http":           "it imports extism:host/env http_request, which this stagecraft does not offer",
		"other-module":   "it imports env abort, which this stagecraft does not offer",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, err := sandbox.Open(t.Context(), guest(t, name), sandbox.Options{
				Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}, CacheDir: filepath.Join(dir, "cache"),
			})
			wantLoadError(t, err, want)
			if entries, _ := os.ReadDir(dir); len(entries) > 0 {
				t.Error("something was compiled")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"huge-memory": "over limit of 1024 pages",
		"wrong-type":  "signature mismatch",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sandbox.Open(t.Context(), guest(t, name), sandbox.Options{
				Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}, CacheDir: filepath.Join(t.TempDir(), "cache"),
			})
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, want)
			}
		})
	}
}

func wantLoadError(t *testing.T, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*sandbox.LoadError](err)
	if !ok || !strings.Contains(e.Reason, want) {
		t.Errorf("got %v, want a LoadError with %q", err, want)
	}
}

// TestTimeIsBounded has a loop wherever a module can have one.
func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"loop-dev", "loop-start", "loop-init"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := openWith(t, name, &host{}, short)
			if err == nil {
				_, err = m.Call(t.Context(), abi.ExportDev, nil)
			}
			e, ok := errors.AsType[*sandbox.LimitError](err)
			if !ok || e.What != "computing time" {
				t.Fatalf("got %v, want the limit of computing time", err)
			}
			if m != nil {
				if _, err := m.Call(t.Context(), abi.ExportDev, nil); err == nil {
					t.Error("a stopped module can be called again")
				}
			}
		})
	}
}

// TestHostTimeIsNotTheModules has a host that takes as long as the module may,
// which has seconds for its own few instructions on the busiest machine.
func TestHostTimeIsNotTheModules(t *testing.T) {
	t.Parallel()
	limits := sandbox.Limits{CPU: 5 * time.Second, Calls: short.Calls}
	slow := &host{answer: func(string, []byte) []byte {
		<-time.After(limits.CPU)
		return []byte(`{"ok":{}}`)
	}}
	m, err := openWith(t, "exec", slow, limits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Call(t.Context(), abi.ExportDev, nil); err != nil {
		t.Error(err)
	}
}

func TestContextEndsCall(t *testing.T) {
	t.Parallel()
	reason := errors.New("enough")
	m, err := sandbox.Open(t.Context(), guest(t, "loop-dev"), sandbox.Options{Helper: sandbox.TestHelper, Host: &host{}, Operations: abi.Operations()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err := m.Call(ctx, abi.ExportDev, nil); !errors.Is(err, reason) {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestContextEndsOpen(t *testing.T) {
	t.Parallel()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	dir := filepath.Join(t.TempDir(), "cache")
	_, err := sandbox.Open(ctx, guest(t, "works"), sandbox.Options{Helper: sandbox.TestHelper, Host: &host{}, Operations: abi.Operations(), CacheDir: dir})
	if !errors.Is(err, reason) {
		t.Errorf("got %v, want the cause", err)
	}
}

// TestContextEndsEachPhase has a context that ends while a module is compiled, while
// its start section runs, and while it is called.
func TestContextEndsEachPhase(t *testing.T) {
	t.Parallel()
	const deep = 20_000
	loops := provider("\x00" + strings.Repeat("\x03\x40", deep) + strings.Repeat("\x0b", deep) + "\x41\x00\x0b")
	reason := errors.New("enough")
	for name, module := range map[string][]byte{"compile": loops, "start": guest(t, "loop-start"), "call": guest(t, "loop-dev")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, reason)
			defer cancel()
			options := sandbox.Options{
				Helper: sandbox.TestHelper, Host: &host{}, Operations: abi.Operations(), Limits: sandbox.Limits{CPU: time.Hour, Load: time.Hour},
				CacheDir: filepath.Join(t.TempDir(), "cache"),
			}
			open := sandbox.Open
			if name == "compile" {
				open = func(ctx context.Context, wasm []byte, options sandbox.Options) (*sandbox.Module, error) {
					return nil, sandbox.Compile(ctx, wasm, options)
				}
			}
			m, err := open(ctx, module, options)
			if err == nil {
				defer m.Close(context.Background())
				_, err = m.Call(ctx, abi.ExportDev, nil)
			}
			if !errors.Is(err, reason) {
				t.Errorf("got %v, want the cause", err)
			}
		})
	}
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"trap":    "unreachable",
		"recurse": "stack overflow",
		"grow":    "unreachable",
		"alloc":   "no memory is left",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := openWith(t, name, &host{}, sandbox.Limits{CPU: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Call(t.Context(), abi.ExportDev, nil)
			e, ok := errors.AsType[*sandbox.CrashError](err)
			if !ok || !strings.Contains(e.Reason, want) || strings.Contains(e.Reason, "\n") {
				t.Errorf("got %v, want a crash of one line with %q", err, want)
			}
		})
	}
}

func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	h := &host{}
	m, err := open(t, "log-flood", h)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Call(t.Context(), abi.ExportDev, nil)
	if e, ok := errors.AsType[*sandbox.LimitError](err); !ok || e.What != "number of host calls" {
		t.Errorf("got %v, want the limit of host calls", err)
	}
	if n := h.calls.Load(); n != int64(short.Calls) {
		t.Errorf("the host was called %d times, want %d", n, short.Calls)
	}
}

// TestBadOffsets has numbers that a guest can hand over, at none of which there
// is a request; the last guest ends before it can be stopped.
func TestBadOffsets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bad-offsets", "bad-offset-last"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &host{}
			m, err := open(t, name, h)
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Call(t.Context(), abi.ExportDev, nil)
			if e, ok := errors.AsType[*sandbox.CrashError](err); !ok || !strings.Contains(e.Reason, "a request is at offset") || h.calls.Load() != 0 {
				t.Errorf("got %v and %d calls, want the module stopped", err, h.calls.Load())
			}
		})
	}
}

func TestSizesAreBounded(t *testing.T) {
	t.Parallel()
	h := &host{}
	m, err := open(t, "big-request", h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Call(t.Context(), abi.ExportDev, nil); err != nil || h.calls.Load() != 0 {
		t.Errorf("got %v and %d calls, want the request refused", err, h.calls.Load())
	}
	m, err = open(t, "lying-output", h)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := m.Call(t.Context(), abi.ExportDev, nil); err == nil && len(out) > 64<<20 {
		t.Errorf("got %d bytes", len(out))
	}
}

func TestHostFailureStaysInside(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(string, []byte) []byte{
		"panics":   func(string, []byte) []byte { panic("oh") },
		"too much": func(string, []byte) []byte { return make([]byte, abi.MaxReply+1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := open(t, "exec", &host{answer: answer})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Call(t.Context(), abi.ExportDev, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNoOneToAsk has modules that ask before anyone has called them.
func TestNoOneToAsk(t *testing.T) {
	t.Parallel()
	h := &host{}
	if _, err := open(t, "asks-early", h); err == nil || h.calls.Load() != 0 {
		t.Errorf("got %v and %d calls, want a refusal", err, h.calls.Load())
	}
}

func TestUnknownExport(t *testing.T) {
	t.Parallel()
	m, err := open(t, "works", &host{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Call(t.Context(), "main", nil)
	wantLoadError(t, err, `no function "main"`)
}

// TestPrints wants what a module prints to be shown, in clean lines, and a crash
// to have the last of it. What makes Extism print to our own streams is a variable
// of ours, which the module's process does not get.
func TestPrints(t *testing.T) {
	t.Setenv("EXTISM_ENABLE_WASI_OUTPUT", "1")
	var lines []string
	m, err := sandbox.Open(t.Context(), guest(t, "prints"), sandbox.Options{
		Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}, Log: func(line string) { lines = append(lines, line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	if _, err := m.Call(t.Context(), abi.ExportValidate, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "red two", "to Extism's log"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	_, err = m.Call(t.Context(), abi.ExportDev, nil)
	if e, ok := errors.AsType[*sandbox.CrashError](err); !ok || e.Output != "it does not work" || e.Error() != "crashed: unreachable (it last printed: it does not work)" {
		t.Errorf("got %v", err)
	}
}

// TestPrintsWithoutEnd wants a bound to what is shown, and to time.
func TestPrintsWithoutEnd(t *testing.T) {
	t.Parallel()
	size := 0
	m, err := sandbox.Open(t.Context(), guest(t, "prints-on"), sandbox.Options{
		Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}, Limits: short,
		Log: func(line string) { size += len(line) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	_, err = m.Call(t.Context(), abi.ExportDev, nil)
	if e, ok := errors.AsType[*sandbox.LimitError](err); !ok || e.What != "computing time" {
		t.Errorf("got %v, want the limit of computing time", err)
	}
	if size == 0 || size > 300<<10 {
		t.Errorf("%d bytes are shown", size)
	}
}
