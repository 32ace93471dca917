//go:build unix

package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDir examines what is below a directory, and goes through no link.
func TestDir(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	if err := os.MkdirAll(at("a/b"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, at("a/b/file"), "text")
	if err := unix.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "a", "a/link": "b", "out": "/"} {
		if err := os.Symlink(target, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	top, err := NewDir(root)
	if err != nil {
		t.Fatal(err)
	}
	defer top.Close()
	for name, want := range map[string]error{
		".": nil, "a": nil, "a/b": nil, "none": fs.ErrNotExist, "a/none/b": fs.ErrNotExist, "a/b/file": syscall.ENOTDIR,
		// With O_NOFOLLOW and O_DIRECTORY a link is not a directory.
		"link": syscall.ENOTDIR, "link/b": syscall.ENOTDIR, "a/link": syscall.ENOTDIR, "out": syscall.ENOTDIR, "out/etc": syscall.ENOTDIR, "pipe": syscall.ENOTDIR,
	} {
		d, err := top.Open(name)
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
		if err == nil && d.Close() != nil {
			t.Errorf("%s is closed already", name)
		}
	}
	for name, want := range map[string]fs.FileMode{"a": fs.ModeDir, "link": fs.ModeSymlink, "pipe": fs.ModeIrregular} {
		if info, err := top.Lstat(name); err != nil || info.Type != want {
			t.Errorf("%s: got %+v, %v", name, info, err)
		}
	}
	names, err := top.Names()
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"a", "link", "out", "pipe"}) {
		t.Errorf("got %q, %v", names, err)
	}
	b, err := top.Open("a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	info, err := b.Lstat("file")
	same, _ := os.Stat(at("a/b/file"))
	if err != nil || info.Type != 0 || info.Size != 4 || info.Modified != same.ModTime().UnixNano() || info.Inode == 0 {
		t.Errorf("got %+v, %v", info, err)
	}
	if _, err := NewDir(at("link")); err == nil {
		t.Error("opened a link")
	}
}
