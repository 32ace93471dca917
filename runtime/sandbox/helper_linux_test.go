//go:build !helpers

package sandbox

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

func init() { fakes = badHelpers }

// badHelpers do something else than the real one.
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
	"fake-damaged":        func(c *frame.Conn) { fakeLoad(c); fakeWrite("H\x00\x00\x00\x00"); fakeRest() },
	"fake-damaged-exit":   func(c *frame.Conn) { fakeLoad(c); fakeWrite("X\x01\x00\x00\x00?"); fakeRest() },
	"fake-damaged-loaded": func(*frame.Conn) { fakeWrite("R\x01\x00\x00\x00\xff"); fakeRest() },
	"fake-many-logs": func(c *frame.Conn) {
		fakeLoad(c)
		for {
			_ = c.Send(frame.Log, make([]byte, frame.MaxLog))
		}
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
	"fake-spins-loading": func(*frame.Conn) {
		for spun := uint64(0); ; spun++ {
			_ = spun
		}
	},
}

// fakeLoad answers until the first call.
func fakeLoad(c *frame.Conn) {
	_, _, _ = c.Receive(frame.Load)
	_ = c.Send(frame.Reply, frame.LoadedBody{}.Parts()...)
	_, _, _ = c.Receive(frame.Start)
	_ = c.Send(frame.Reply)
	_, _, _ = c.Receive(frame.Call)
}

// fakeRest does nothing more, and takes no processor time.
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

// TestBadHelper wants one clear error of whatever a helper does, and no process
// left.
func TestBadHelper(t *testing.T) {
	stalled := stalledAfter
	stalledAfter = 2 * time.Second
	t.Cleanup(func() { stalledAfter = stalled })
	wasm, err := os.ReadFile("testdata/works.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fake-ends":            "crashed: its process ended: exit status 0",
		"fake-silent-end":      "crashed: its process ended: exit status 3",
		"fake-killed":          "crashed: its process ended: killed by SIGKILL",
		"fake-stopped":         "crashed: its process was stopped by SIGSTOP",
		"fake-stopped-early":   "crashed: its process was stopped by SIGSTOP",
		"fake-mute":            "stopped: its time to get on is limited to 2s",
		"fake-closes":          "crashed: its process ended: killed by SIGKILL",
		"fake-too-long":        "crashed: its process does not keep to the protocol: frame of kind 'R' with 4294967295 bytes, at most 67108864 are allowed",
		"fake-cut":             "crashed: its process ended in the middle of a frame: exit status 0",
		"fake-unknown":         "crashed: its process does not keep to the protocol: unexpected frame of kind '?'",
		"fake-order":           "crashed: its process does not keep to the protocol: unexpected frame of kind 'L'",
		"fake-asks-early":      "crashed: its process does not keep to the protocol: unexpected frame of kind 'H'",
		"fake-asks-unknown":    "crashed: its process does not keep to the protocol: host call of operation 255 of 12",
		"fake-damaged":         "crashed: its process does not keep to the protocol: damaged frame",
		"fake-damaged-exit":    "crashed: its process does not keep to the protocol: damaged frame",
		"fake-damaged-loaded":  "crashed: its process does not keep to the protocol: damaged frame",
		"fake-many-logs":       "stopped: its computing time is limited to 200ms",
		"fake-asks-on":         "stopped: its number of host calls is limited to 50",
		"fake-no-memory":       "stopped: its memory, with that of its process, is limited to 1152 MiB",
		"fake-no-memory-early": "stopped: its memory for loading is limited to 1 GiB",
		"fake-late":            "stopped: its computing time is limited to 200ms",
		"fake-hangs-loading":   "stopped: its time to get on is limited to 2s",
		"fake-spins-loading":   "stopped: its processor time for loading is limited to 200ms",
		// What it reads meets the bound of calls, or that of time while it does not.
		"fake-does-not-read": "stopped: its ",
	} {
		t.Run(name, func(t *testing.T) {
			limits := short
			if !strings.HasPrefix(want, "stopped: its") {
				limits.CPU, limits.Load = time.Hour, time.Hour
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

// callFake opens a module with a fake helper, calls it, and closes it.
func callFake(t *testing.T, wasm []byte, name string, limits Limits) error {
	t.Helper()
	m, err := open(t.Context(), wasm, Options{Operations: abi.Operations(), Host: fakeHost{}, Limits: limits}, name)
	if err != nil {
		return err
	}
	_, err = m.Call(t.Context(), abi.ExportDev, []byte("{}"))
	if _, again := m.Call(t.Context(), abi.ExportDev, []byte("{}")); again == nil {
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
