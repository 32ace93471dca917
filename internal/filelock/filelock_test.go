//go:build unix

package filelock

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestTry(t *testing.T) {
	dir := t.TempDir()
	lock, err := Try(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Try(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	if lock, err = Try(dir); err != nil {
		t.Fatalf("once it was released: %v", err)
	}
	lock.Release()
	if _, err := Try(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
