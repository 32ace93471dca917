//go:build !helpers

package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

func init() { fakes = badHelpers }

// badHelpers behave differently from the real helper.
var badHelpers = map[string]func(c *frame.Conn){
	"fake-ends":           func(*frame.Conn) {},
	"fake-silent-end":     func(c *frame.Conn) { fakeLoad(c); os.Exit(3) },
	"fake-killed":         func(c *frame.Conn) { fakeLoad(c); fakeSignal(unix.SIGKILL) },
	"fake-stopped":        func(c *frame.Conn) { fakeLoad(c); fakeSignal(unix.SIGSTOP) },
	"fake-stopped-early":  func(*frame.Conn) { fakeSignal(unix.SIGSTOP) },
	"fake-mute":           func(c *frame.Conn) { fakeLoad(c); fakeRest() },
	"fake-closes":         func(c *frame.Conn) { fakeLoad(c); _ = unix.Close(0); _ = unix.Close(1); fakeRest() },
	"fake-too-long":       func(c *frame.Conn) { fakeLoad(c); fakeWrite("R\xff\xff\xff\xff") },
	"fake-cut":            func(c *frame.Conn) { fakeLoad(c); fakeWrite("R\x05\x00\x00\x00abc") },
	"fake-unknown":        func(c *frame.Conn) { fakeLoad(c); fakeWrite("?\x00\x00\x00\x00") },
	"fake-order":          func(c *frame.Conn) { fakeLoad(c); fakeWrite("L\x00\x00\x00\x00") },
	"fake-asks-early":     func(*frame.Conn) { fakeWrite("H\x03\x00\x00\x00\x00{}"); fakeRest() },
	"fake-asks-unknown":   func(c *frame.Conn) { fakeLoad(c); fakeWrite("H\x03\x00\x00\x00\xff{}"); fakeRest() },
	"fake-asks-more":      func(c *frame.Conn) { fakeLoad(c); fakeWrite("H\x03\x00\x00\x00\x01{}"); fakeRest() },
	"fake-damaged":        func(c *frame.Conn) { fakeLoad(c); fakeWrite("H\x00\x00\x00\x00"); fakeRest() },
	"fake-damaged-exit":   func(c *frame.Conn) { fakeLoad(c); fakeWrite("X\x01\x00\x00\x00?"); fakeRest() },
	"fake-damaged-loaded": func(*frame.Conn) { fakeWrite("R\x01\x00\x00\x00\xff"); fakeRest() },
	"fake-many-logs": func(c *frame.Conn) {
		fakeLoad(c)
		for {
			_ = c.Send(frame.Log, make([]byte, frame.MaxLog))
		}
	},
	"fake-empty-logs": func(c *frame.Conn) {
		fakeLoad(c)
		for {
			_ = c.Send(frame.Log)
		}
	},
	"fake-computes-on": func(c *frame.Conn) {
		fakeLoad(c)
		_ = c.Send(frame.HostCall, []byte("\x00{}"))
		fakeSpin()
	},
	"fake-wakes": func(c *frame.Conn) {
		fakeLoad(c)
		for {
			time.Sleep(10 * time.Millisecond)
		}
	},
	"fake-fills-files": func(*frame.Conn) {
		for i := range maxCodeFiles + 1 {
			_ = os.WriteFile(filepath.Join(os.Args[1], strconv.Itoa(i)), nil, 0o600)
		}
		fakeRest()
	},
	"fake-fills-bytes": func(*frame.Conn) {
		for _, name := range []string{"a", "b"} {
			_ = os.WriteFile(filepath.Join(os.Args[1], name), nil, 0o600)
			_ = os.Truncate(filepath.Join(os.Args[1], name), maxCode/2+1)
		}
		fakeRest()
	},
	"fake-asks-on": func(c *frame.Conn) {
		fakeLoad(c)
		for {
			_ = c.Send(frame.HostCall, []byte("\x00{}"))
			_, _, _ = c.Receive(frame.Reply)
		}
	},
	"fake-does-not-read": func(c *frame.Conn) {
		fakeLoad(c)
		for {
			_ = c.Send(frame.HostCall, []byte("\x00{}"))
		}
	},
	"fake-no-memory": func(c *frame.Conn) {
		fakeLoad(c)
		println("fatal error: runtime: out of memory")
		os.Exit(2)
	},
	"fake-no-memory-early": func(*frame.Conn) {
		println("fatal error: runtime: out of memory")
		os.Exit(2)
	},
	"fake-late": func(c *frame.Conn) {
		fakeLoad(c)
		for start := time.Now(); time.Since(start) < time.Minute; {
		}
		_ = c.Send(frame.Reply, []byte("{}"))
		fakeRest()
	},
	"fake-hangs-loading": func(*frame.Conn) { fakeRest() },
	"fake-hangs-starting": func(c *frame.Conn) {
		_, _, _ = c.Receive(frame.Load)
		_ = c.Send(frame.Reply, frame.LoadedBody{}.Parts()...)
		fakeRest()
	},
	"fake-spins-loading": func(*frame.Conn) { fakeSpin() },
	// These outgrow the interpreter after a request, and do something else then.
	"fake-starts-otherwise": func(c *frame.Conn) { fakeEngines(c, "x", "\x00{}") },
	"fake-asks-otherwise":   func(c *frame.Conn) { fakeEngines(c, "", "\x00{ }") },
	"fake-asks-less":        func(c *frame.Conn) { fakeEngines(c, "", "") },
}

// fakeEngines interprets a module that asks once and outgrows the interpreter. Compiled,
// the module answers its start with a text, makes another request unless that is empty,
// and returns.
func fakeEngines(c *frame.Conn, started, request string) {
	_, body, _ := c.Receive(frame.Load)
	load, _ := frame.DecodeLoad(body)
	if !load.Compile {
		started, request = "", "\x00{}"
	}
	_ = c.Send(frame.Reply, frame.LoadedBody{}.Parts()...)
	_, _, _ = c.Receive(frame.Start)
	_ = c.Send(frame.Reply, []byte(started))
	_, _, _ = c.Receive(frame.Call)
	if request != "" {
		_ = c.Send(frame.HostCall, []byte(request))
		_, _, _ = c.Receive(frame.Reply)
	}
	if !load.Compile {
		_ = c.Send(frame.Exit, frame.ExitBody{Why: frame.Outgrown}.Parts()...)
		return
	}
	_ = c.Send(frame.Reply, []byte("{}"))
	fakeRest()
}

// fakeSpin computes without end.
func fakeSpin() {
	for spun := uint64(0); ; spun++ {
		_ = spun
	}
}

// fakeLoad answers until the first call.
func fakeLoad(c *frame.Conn) {
	_, _, _ = c.Receive(frame.Load)
	_ = c.Send(frame.Reply, frame.LoadedBody{}.Parts()...)
	_, _, _ = c.Receive(frame.Start)
	_ = c.Send(frame.Reply)
	_, _, _ = c.Receive(frame.Call)
}

// fakeRest waits for ever, without using processor time.
func fakeRest() {
	for {
		time.Sleep(time.Hour)
	}
}

func fakeWrite(text string) { _, _ = os.Stdout.WriteString(text) }

func fakeSignal(sig unix.Signal) {
	_ = unix.Kill(os.Getpid(), sig)
	fakeRest()
}

// TestBadHelper expects one clear error for each bad helper, and no process left.
func TestBadHelper(t *testing.T) {
	stalled, idle, paused := stalledAfter, idleAfter, pausedInterval
	pausedInterval = 10 * time.Millisecond
	t.Cleanup(func() { stalledAfter, idleAfter, pausedInterval = stalled, idle, paused })
	wasm, err := os.ReadFile("testdata/exec.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fake-ends":          "crashed: its process ended: exit status 0",
		"fake-silent-end":    "crashed: its process ended: exit status 3",
		"fake-killed":        "crashed: its process ended: killed by SIGKILL",
		"fake-stopped":       "crashed: its process was stopped by SIGSTOP",
		"fake-stopped-early": "crashed: its process was stopped by SIGSTOP",
		"fake-mute":          "stopped: its time without progress is limited to 2s",
		"fake-closes":        "crashed: its process ended: killed by SIGKILL",
		"fake-too-long":      "crashed: its process broke the protocol: frame of kind 'R' with 4294967295 bytes, at most 67108864 are allowed",
		"fake-cut":           "crashed: its process ended in the middle of a frame: exit status 0",
		"fake-unknown":       "crashed: its process broke the protocol: unexpected frame of kind '?'",
		"fake-order":         "crashed: its process broke the protocol: unexpected frame of kind 'L'",
		"fake-asks-early":    "crashed: its process broke the protocol: unexpected frame of kind 'H'",
		"fake-asks-unknown":  "crashed: its process broke the protocol: host call of operation 255 of 1",
		// The module imports one.
		"fake-asks-more":       "crashed: its process broke the protocol: host call of operation 1 of 1",
		"fake-damaged":         "crashed: its process broke the protocol: damaged frame",
		"fake-damaged-exit":    "crashed: its process broke the protocol: damaged frame",
		"fake-damaged-loaded":  "crashed: its process broke the protocol: damaged frame",
		"fake-many-logs":       "crashed: its process broke the protocol: empty log, or more than 1048576 bytes of logs",
		"fake-empty-logs":      "crashed: its process broke the protocol: empty log, or more than 1048576 bytes of logs",
		"fake-computes-on":     "stopped: its computing time is limited to 200ms",
		"fake-wakes":           "stopped: its idle time is limited to 3s",
		"fake-fills-files":     "stopped: its compiled code is limited to 1 GiB in 1000 files",
		"fake-fills-bytes":     "stopped: its compiled code is limited to 1 GiB in 1000 files",
		"fake-asks-on":         "stopped: its number of host calls is limited to 50",
		"fake-no-memory":       "stopped: its process memory is limited to 1152 MiB",
		"fake-no-memory-early": "stopped: its memory for loading is limited to 1 GiB",
		"fake-late":            "stopped: its computing time is limited to 200ms",
		"fake-hangs-loading":   "stopped: its time without progress is limited to 2s",
		"fake-spins-loading":   "stopped: its processor time for loading is limited to 200ms",

		"fake-starts-otherwise": "crashed: its compiled code behaves differently from the interpreter",
		"fake-asks-otherwise":   "crashed: its compiled code behaves differently from the interpreter",
		"fake-asks-less":        "crashed: its compiled code behaves differently from the interpreter",
		// Either the number of calls or the time reaches its limit first.
		"fake-does-not-read": "stopped: its ",
	} {
		t.Run(name, func(t *testing.T) {
			limits := short
			if !strings.HasPrefix(want, "stopped: its") || strings.Contains(want, "idle") || strings.Contains(want, "code") {
				limits.CPU, limits.Load = time.Hour, time.Hour
			}
			// Otherwise they are long, since this process may wait for a processor.
			stalledAfter, idleAfter = stalled, idle
			if strings.Contains(want, "progress") {
				stalledAfter = 2 * time.Second
			}
			if strings.Contains(want, "idle") {
				idleAfter = 3 * time.Second
			}
			err := callFake(t, wasm, name, limits)
			if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(want, " ") && err.Error() != want {
				t.Errorf("got %v, want %q", err, want)
			}
			if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
				t.Error("a process is left")
			}
		})
	}
}

// TestCancelled ends a run in each phase of a helper that does nothing.
func TestCancelled(t *testing.T) {
	wasm, err := os.ReadFile("testdata/exec.wasm")
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("Ctrl-C")
	for _, name := range []string{"fake-hangs-loading", "fake-hangs-starting", "fake-mute"} {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, cause)
		m, err := open(ctx, wasm, Options{Operations: abi.Operations(), Host: fakeHost{}}, name)
		if err == nil {
			_, err = m.Call(ctx, abi.ExportDev, nil)
			err = errors.Join(err, m.Close(t.Context()))
		}
		cancel()
		if !errors.Is(err, cause) {
			t.Errorf("%s: got %v, want the cause", name, err)
		}
	}
}

// compileFake has a fake helper compile a module: only then it has a directory.
func compileFake(ctx context.Context, wasm []byte, opts Options, name string) (*Module, error) {
	m, unusable, err := newModule(ctx, wasm, opts, name)
	if err := errors.Join(err, unusable); err != nil {
		return nil, err
	}
	return m, m.compile(ctx, false)
}

// callFake opens a module with a fake helper, calls it, and closes it.
func callFake(t *testing.T, wasm []byte, name string, limits Limits) error {
	t.Helper()
	cache := filepath.Join(t.TempDir(), "cache")
	// Reaching the deadline fails the test.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	opts := Options{Operations: abi.Operations(), Host: fakeHost{}, Limits: limits, CacheDir: cache}
	begin := open
	if strings.HasPrefix(name, "fake-fills-") {
		begin = compileFake
	}
	m, err := begin(ctx, wasm, opts, name)
	if left, globErr := filepath.Glob(filepath.Join(cache, "*", "*")); globErr != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), globErr)
	}
	if err != nil {
		return err
	}
	if name == "fake-computes-on" {
		m.host = fakeHost{m.process.done}
	}
	_, err = m.Call(ctx, abi.ExportDev, []byte("{}"))
	if _, again := m.Call(ctx, abi.ExportDev, []byte("{}")); again == nil {
		t.Error("the module can be called again")
	}
	if err := m.Close(context.Background()); err != nil {
		t.Error(err)
	}
	return err
}

// TestWaits wants a host to be told what it waits for.
func TestWaits(t *testing.T) {
	wasm, err := os.ReadFile("testdata/works.wasm")
	if err != nil {
		t.Fatal(err)
	}
	told := errors.New("told")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = open(ctx, wasm, Options{Operations: abi.Operations(), Waiting: func(compiled bool) {
		if !compiled {
			cancel(told)
		}
	}}, "fake-hangs-loading")
	if !errors.Is(err, told) {
		t.Errorf("got %v", err)
	}
}
