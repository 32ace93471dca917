package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// hostFunc is a host that is one function.
type hostFunc func()

func (f hostFunc) Call(context.Context, string, []byte) []byte {
	f()
	return []byte(`{"ok":{}}`)
}

// callAsks has a module ask a host, which works for longer than a short run.
func callAsks(t *testing.T, wasm []byte, options Options, work func()) {
	t.Helper()
	short := lastsAfter
	lastsAfter = time.Millisecond
	t.Cleanup(func() { lastsAfter = short })
	options.Helper, options.Operations, options.Host = TestHelper, abi.Operations(), hostFunc(work)
	m, err := Open(t.Context(), wasm, options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Call(t.Context(), abi.ExportDev, nil)
	if err := errors.Join(err, m.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
		t.Error("a process is left")
	}
}

// until waits for something.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Error("it took a minute")
			return
		}
	}
}

func isKept(t *testing.T, cache string) bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(cache, "*", complete))
	if err != nil {
		t.Error(err)
	}
	return len(found) > 0
}

// TestCompiledBehind wants a module to be compiled while its host works, at the lowest
// priority, and compiled code to be used by the next run.
func TestCompiledBehind(t *testing.T) {
	wasm, err := os.ReadFile("testdata/asks.wasm")
	if err != nil {
		t.Fatal(err)
	}
	options := Options{CacheDir: filepath.Join(t.TempDir(), "cache"), Log: func(line string) { t.Error(line) }}
	var most []int
	callAsks(t, wasm, options, func() {
		until(t, func() bool {
			if pids := childrenOf(t, os.Getpid()); len(pids) > len(most) {
				most = pids
			}
			return isKept(t, options.CacheDir)
		})
	})
	if len(most) != 2 {
		t.Errorf("there were processes %v at once", most)
	}
	calls := 0
	callAsks(t, wasm, options, func() {
		calls++
		if pids := childrenOf(t, os.Getpid()); len(pids) != 1 {
			t.Errorf("the next run has the processes %v", pids)
		}
	})
	m, err := Open(t.Context(), wasm, Options{Helper: TestHelper, Operations: abi.Operations(), CacheDir: options.CacheDir})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if !m.compiled || calls != 1 {
		t.Errorf("compiled: %v, %d calls", m.compiled, calls)
	}
}

// slow is a module that asks, and that takes long to compile.
func slow() []byte {
	const deep = 20_000
	size := func(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) + s }
	name := func(s string) string { return string([]byte{byte(len(s))}) + s }
	var exports strings.Builder
	for _, export := range abi.Exports() {
		exports.WriteString(name(export) + "\x00\x02")
	}
	asks := "\x00\x42\x02\x10\x00\x10\x01\x1a\x41\x00\x0b" // (drop (call $exec (call $alloc (i64.const 2)))) (i32.const 0)
	loops := "\x00" + strings.Repeat("\x03\x40", deep) + strings.Repeat("\x0b", deep) + "\x41\x00\x0b"
	return []byte(magic +
		"\x01" + size("\x02\x60\x00\x01\x7f\x60\x01\x7e\x01\x7e") +
		"\x02" + size("\x02"+name(kernelModule)+name("alloc")+"\x00\x01"+name(abi.ImportNamespace)+name(abi.ImportName(abi.OpExec))+"\x00\x01") +
		"\x03" + size("\x02\x00\x00") +
		"\x07" + size(string([]byte{byte(len(abi.Exports()))})+exports.String()) +
		"\x0a" + size("\x02"+size(asks)+size(loops)))
}

// TestBehindEnds wants compiling to have the lowest priority, to end with the module,
// and to be no failure then.
func TestBehindEnds(t *testing.T) {
	options := Options{CacheDir: filepath.Join(t.TempDir(), "cache"), Log: func(line string) { t.Error(line) }, Limits: Limits{Load: time.Hour}}
	callAsks(t, slow(), options, func() {
		// The module's own process, and one that compiles.
		var values []int
		until(t, func() bool {
			values = nil
			for _, pid := range childrenOf(t, os.Getpid()) {
				values = append(values, nice(pid))
			}
			slices.Sort(values)
			return slices.Contains(values, 19)
		})
		if !slices.Equal(values, []int{0, 19}) {
			t.Errorf("the module's processes have the priorities %v", values)
		}
	})
	if isKept(t, options.CacheDir) {
		t.Error("it is said to be compiled")
	}
}

// nice is the value of a process, 0 for one that has ended.
func nice(pid int) int {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 17 {
		return 0
	}
	n, _ := strconv.Atoi(fields[16])
	return n
}

// TestBehindFails wants a failure to be a line for those who ask, and no more.
func TestBehindFails(t *testing.T) {
	lines := make(chan string, 10)
	options := Options{
		CacheDir: filepath.Join(t.TempDir(), "cache"), Limits: Limits{Load: 2 * time.Second},
		Log: func(line string) { lines <- line }, Warn: func(err error) { t.Error(err) },
	}
	callAsks(t, slow(), options, func() {
		line := <-lines
		if want := "it could not be compiled for the next run: stopped: its processor time for loading is limited to 2s"; line != want {
			t.Errorf("got %q, want %q", line, want)
		}
	})
}

// TestBehindOnce wants a module that another run compiles to be left to that run.
func TestBehindOnce(t *testing.T) {
	wasm, err := os.ReadFile("testdata/asks.wasm")
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(t.TempDir(), "cache")
	dir, err := cacheDir(cache, "", wasm)
	if err != nil {
		t.Fatal(err)
	}
	release, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	options := Options{Operations: abi.Operations(), Helper: TestHelper, CacheDir: cache}
	if err := Compile(t.Context(), wasm, options); err != nil || isKept(t, cache) {
		t.Errorf("%v, kept: %v", err, isKept(t, cache))
	}
}
