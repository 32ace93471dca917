package sandbox_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// runCached opens a module with a cache and returns the warnings.
func runCached(t *testing.T, dir string) []error {
	t.Helper()
	return runGuestCached(t, "works", dir)
}

// compileGuest compiles a module as a run that lasts does.
func compileGuest(t *testing.T, name, dir string) {
	t.Helper()
	must(t, sandbox.Compile(t.Context(), guest(t, name), sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations(), CacheDir: dir}))
}

func runGuestCached(t *testing.T, name, dir string) []error {
	t.Helper()
	var warnings []error
	m, err := sandbox.Open(t.Context(), guest(t, name), sandbox.Options{
		Helper: sandbox.TestHelper, Operations: abi.Operations(), Host: &host{}, CacheDir: dir,
		Warn: func(err error) { warnings = append(warnings, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(context.Background())
	if _, err := m.Call(t.Context(), abi.ExportDev, nil); err != nil {
		t.Error(err)
	}
	return warnings
}

// cached lists the entries of a cache.
func cached(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCacheIsUsedAndPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "cache")
	if w := runCached(t, dir); len(w) > 0 || len(cached(t, dir)) > 0 {
		t.Fatalf("the first run compiled the module: %v", w)
	}
	compileGuest(t, "works", dir)
	if info, err := os.Stat(dir); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o700) {
		t.Errorf("%v, %v: want mode 0700", info.Mode(), err)
	}
	before := cached(t, dir)
	if len(before) == 0 {
		t.Fatal("nothing is cached")
	}
	if w := runCached(t, dir); len(w) > 0 || len(cached(t, dir)) != len(before) {
		t.Errorf("a later run did not use the cache: %v", w)
	}
}

// TestDamagedCacheIsRebuilt damages every entry in several ways.
func TestDamagedCacheIsRebuilt(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"emptied":   func([]byte) []byte { return nil },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"flipped":   func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 0xff; return b },
		"garbage":   func(b []byte) []byte { return bytes.Repeat([]byte("x"), len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "cache")
			compileGuest(t, "works", dir)
			for _, file := range cached(t, dir) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, damage(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			runCached(t, dir)
			runCached(t, dir)
			if w := runCached(t, dir); len(w) > 0 || len(cached(t, dir)) == 0 {
				t.Errorf("the cache was not rebuilt: %v", w)
			}
		})
	}
}

// TestDamagedEntryAlone expects the entries of another module to stay, since a run may be
// about to use them.
func TestDamagedEntryAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	compileGuest(t, "works", dir)
	before := make(map[string]fs.FileInfo)
	for _, file := range cached(t, dir) {
		before[file] = stat(t, file)
	}
	compileGuest(t, "asks", dir)
	all := cached(t, dir)
	if len(all) != 2*len(before) {
		t.Fatalf("%d entries of one module, %d of two", len(before), len(all))
	}
	for _, file := range all {
		if before[file] == nil {
			must(t, os.WriteFile(file, []byte("damaged"), 0o600))
		}
	}
	if w := runGuestCached(t, "asks", dir); len(w) != 1 {
		t.Errorf("got %v, want one warning", w)
	}
	if after := cached(t, dir); !slices.Equal(after, all) {
		t.Errorf("entries %q, before %q", after, all)
	}
	stay := 0
	for file, info := range before {
		if os.SameFile(info, stat(t, file)) {
			stay++
		}
	}
	if stay != len(before) {
		t.Errorf("%d of %d entries stay", stay, len(before))
	}
	for _, name := range []string{"works", "asks"} {
		if w := runGuestCached(t, name, dir); len(w) > 0 {
			t.Errorf("%s: %v", name, w)
		}
	}
}

func stat(t *testing.T, file string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(file)
	must(t, err)
	return info
}

// TestIrregularEntries has pipes in the place of entries. Opening one would wait for its
// other end.
func TestIrregularEntries(t *testing.T) {
	t.Parallel()
	mkfifo, err := exec.LookPath("mkfifo")
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), "cache")
	compileGuest(t, "works", dir)
	for _, file := range cached(t, dir) {
		must(t, os.Remove(file))
		must(t, exec.CommandContext(t.Context(), mkfifo, file).Run())
	}
	if w := runCached(t, dir); len(w) != 1 || !strings.Contains(w[0].Error(), safefile.ErrIrregular.Error()) {
		t.Errorf("got %v, want one warning of a file that is not regular", w)
	}
	if w := runCached(t, dir); len(w) > 0 || len(cached(t, dir)) == 0 {
		t.Errorf("the cache was not rebuilt: %v", w)
	}
}

func TestCacheOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a directory has no mode there")
	}
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"open to others": func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.Chmod(dir, 0o777))
		},
		"a link": func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir+"-target", 0o700))
			must(t, os.Symlink(dir+"-target", dir))
		},
		"a file": func(t *testing.T, dir string) { must(t, os.WriteFile(dir, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "cache")
			prepare(t, dir)
			if w := runCached(t, dir); len(w) != 1 {
				t.Errorf("got %v, want one warning", w)
			}
			if _, err := os.Lstat(dir); err != nil {
				t.Errorf("what was there is gone: %v", err)
			}
		})
	}
}

func TestCacheManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { compileGuest(t, "works", dir) })
		wg.Go(func() {
			if w := runCached(t, dir); len(w) > 0 {
				t.Error(w)
			}
		})
	}
	wg.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
