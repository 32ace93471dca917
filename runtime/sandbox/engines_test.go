package sandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// TestEnginesAreAlike runs each module interpreted and compiled, and wants the same
// outputs, requests, lines and errors.
func TestEnginesAreAlike(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		t.Fatal("no modules", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".wasm")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, export := range abi.Exports() {
				dir := filepath.Join(t.TempDir(), "cache")
				interpreted := conduct(t, name, export, dir)
				options := sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations(), CacheDir: dir}
				if err := sandbox.Compile(t.Context(), guest(t, name), options); err != nil {
					interpreted = strings.TrimPrefix(interpreted, "opened: ")
					if want := fmt.Sprintln(err); interpreted != want {
						t.Errorf("interpreted %q, compiled %q", interpreted, want)
					}
					return
				}
				if diff := cmp.Diff(interpreted, conduct(t, name, export, dir)); diff != "" {
					t.Errorf("%s: interpreted and compiled: %s", export, diff)
				}
			}
		})
	}
}

// costly are modules that compute for long, and end. Most of the others that do never end.
var costly = []string{"alloc", "kernel-calls"}

// conduct is all that can be seen of a module that is called once.
func conduct(t *testing.T, name, export, dir string) string {
	t.Helper()
	var b bytes.Buffer
	h := &host{answer: func(operation string, request []byte) []byte {
		fmt.Fprintf(&b, "asked: %s %q\n", operation, request)
		return []byte(`{"ok":{}}`)
	}}
	limits := short
	if slices.Contains(costly, name) {
		limits.CPU = time.Hour
	}
	m, err := sandbox.Open(t.Context(), guest(t, name), sandbox.Options{
		Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: h, Limits: limits, CacheDir: dir,
		Log: func(line string) { fmt.Fprintf(&b, "printed: %.100q\n", line) },
	})
	if err != nil {
		return fmt.Sprintf("opened: %v\n", err)
	}
	defer m.Close(t.Context())
	output, err := m.Call(t.Context(), export, []byte("{}"))
	fmt.Fprintf(&b, "returned: %.100q (%d bytes), %v\n", output, len(output), err)
	return b.String()
}

// TestOutgrowsInterpreter has a module go on in compiled code, when it computes for long,
// fills the interpreter's stack, or was given much. Nothing is asked for or printed
// again.
func TestOutgrowsInterpreter(t *testing.T) {
	t.Parallel()
	for export, calls := range map[string]int64{abi.ExportDev: 2, abi.ExportValidate: 2, abi.ExportBuildDocker: 42} {
		t.Run(export, func(t *testing.T) {
			t.Parallel()
			h := &host{answer: func(string, []byte) []byte {
				if export == abi.ExportBuildDocker {
					return []byte(`{"ok":{"output":"` + strings.Repeat("x", 1<<20) + `"}}`)
				}
				return []byte(`{"ok":{}}`)
			}}
			var lines []string
			compilations := 0
			dir := filepath.Join(t.TempDir(), "cache")
			m, err := sandbox.Open(t.Context(), guest(t, "outgrows"), sandbox.Options{
				Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: h, CacheDir: dir,
				Log: func(line string) { lines = append(lines, line) }, Waiting: func(compiled bool) {
					// A busy machine takes a second to load it.
					if compiled {
						compilations++
					}
				},
				Warn: func(err error) { t.Error(err) },
			})
			must(t, err)
			defer m.Close(t.Context())
			for range 2 {
				out, err := m.Call(t.Context(), export, []byte("{}"))
				if err != nil || string(out) != `{"ok":{}}` {
					t.Fatalf("%q, %v", out, err)
				}
			}
			if got := h.calls.Load(); got != 2*calls {
				t.Errorf("the host was asked %d times, want %d", got, 2*calls)
			}
			if want := []string{"before", "after", "before", "after"}; !slices.Equal(lines, want) {
				t.Errorf("it printed %q, want %q", lines, want)
			}
			if compilations != 1 {
				t.Errorf("the run said %d times that it compiles", compilations)
			}
			if len(cached(t, dir)) == 0 {
				t.Error("the compiled code was not kept")
			}
		})
	}
}

// TestOutgrowsWithoutCache has no directory for compiled code.
func TestOutgrowsWithoutCache(t *testing.T) {
	t.Parallel()
	m, err := sandbox.Open(t.Context(), guest(t, "outgrows"), sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}})
	must(t, err)
	defer m.Close(t.Context())
	if _, err := m.Call(t.Context(), abi.ExportValidate, nil); err != nil {
		t.Error(err)
	}
}

// TestCompileKeeps wants what a killed run left to be removed, and nothing to be written
// that is there.
func TestCompileKeeps(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	runCached(t, dir)
	dirs, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%q, %v", dirs, err)
	}
	left := filepath.Join(dirs[0], "wazero", "left.tmp")
	must(t, os.Mkdir(filepath.Dir(left), 0o700))
	must(t, os.WriteFile(left, []byte("half"), 0o600))
	compileGuest(t, "works", dir)
	before := cached(t, dir)
	if len(before) == 0 || slices.Contains(before, left) {
		t.Errorf("entries %q", before)
	}
	infos := make(map[string]os.FileInfo)
	for _, file := range before {
		infos[file] = stat(t, file)
	}
	compileGuest(t, "works", dir)
	for _, file := range cached(t, dir) {
		if infos[file] == nil || !os.SameFile(infos[file], stat(t, file)) {
			t.Errorf("%s was written again", file)
		}
	}
}
