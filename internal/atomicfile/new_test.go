package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
)

// TestWriteNew: one of several succeeds, and the others leave nothing.
func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	var written atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := atomicfile.WriteNew(path, []byte("text"))
			if err == nil {
				written.Add(1)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if data, err := os.ReadFile(path); err != nil || string(data) != "text" || written.Load() != 1 {
		t.Errorf("got %q, %v, written %d times", data, err, written.Load())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	wantOnly(t, dir, "file")
}

// TestWriteNewFails: what is at the path stays, and nothing is left beside it.
func TestWriteNewFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "taken"} {
		if err := atomicfile.WriteNew(filepath.Join(dir, name), []byte("x")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := atomicfile.WriteNew(filepath.Join(dir, "missing", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	wantOnly(t, dir, "link", "taken")
}
