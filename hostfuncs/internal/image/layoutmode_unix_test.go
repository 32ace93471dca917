//go:build unix

package image

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLayoutIsReadable wants a layout to be for everybody, whatever the umask is.
func TestLayoutIsReadable(t *testing.T) {
	was := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(was) })
	dir := filepath.Join(t.TempDir(), "out")
	l, err := UnpackLayout(bytes.NewReader(tarOf(t, aLayout()...)), dir, []string{"x"})
	if err == nil {
		err = l.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if want := map[bool]fs.FileMode{true: 0o755, false: 0o644}[entry.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
