package exec

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTempDirLeft wants what a command left to go, whatever its modes.
func TestTempDirLeft(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	outside := t.TempDir()
	if err := os.Chmod(outside, 0o500); err != nil {
		t.Fatal(err)
	}
	dir, err := newTempDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/b/c", "none"} {
		name = filepath.Join(dir.path, name)
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			os.WriteFile(filepath.Join(name, "file"), nil, 0o400), os.Symlink(outside, filepath.Join(name, "link")),
			unix.Mkfifo(filepath.Join(name, "pipe"), 0),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"a/b/c", "a/b", "a", "none", "."} {
		mode := os.FileMode(0o500)
		if name == "none" || name == "." {
			mode = 0
		}
		if err := os.Chmod(filepath.Join(dir.path, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	asUser(t, func() {
		if err := dir.remove(); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Lstat(dir.path); err == nil {
		t.Error("it is still there")
	}
	// What a link led to is as it was.
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("%v, %v", info, err)
	}
}

// asUser does something that modes of files count for: to root they don't.
func asUser(t *testing.T, do func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		// The thread ends with the goroutine, so no other goroutine uses it.
		runtime.LockOSThread()
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		err := unix.Capset(&header, &none[0])
		if err == nil {
			do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
