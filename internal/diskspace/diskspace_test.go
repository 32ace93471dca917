package diskspace_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/diskspace"
)

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	if free, err := diskspace.Free(dir); err != nil || free == 0 {
		t.Errorf("%d bytes are free, %v", free, err)
	}
	if err := diskspace.CheckWritable(dir); err != nil {
		t.Error(err)
	}
	if _, err := diskspace.Free(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("free space of none: %v", err)
	}
	if runtime.GOOS == "windows" {
		return // it checks nothing there
	}
	if err := diskspace.CheckWritable(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("writing to none: %v", err)
	}
	if os.Geteuid() == 0 {
		return // root may write everywhere
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := diskspace.CheckWritable(dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("writing to a read-only directory: %v", err)
	}
}
