//go:build helpers

package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestMemoryFile wants nobody to change the program that is executed.
func TestMemoryFile(t *testing.T) {
	fd, err := memoryFile()
	if err != nil {
		t.Fatal(err)
	}
	const want = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
		t.Errorf("seals %x, %v", seals, err)
	}
	writer, err := unix.Open(descriptor(fd), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(writer)
		_, err = unix.Pwrite(writer, []byte{0}, 0)
	}
	if err == nil {
		t.Error("it can be written to")
	}
}

// withoutMemoryFiles is an old kernel, or one with vm.memfd_noexec.
func withoutMemoryFiles(t *testing.T) {
	before := memoryFile
	memoryFile = func() (int, error) { return 0, unix.EACCES }
	t.Cleanup(func() { memoryFile = before })
}

func openWorks(t *testing.T, cache string) error {
	t.Helper()
	wasm, err := os.ReadFile("testdata/works.wasm")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(t.Context(), wasm, Options{Operations: abi.Operations(), CacheDir: cache})
	if err != nil {
		return err
	}
	_, err = m.Call(t.Context(), abi.ExportDev, nil)
	return errors.Join(err, m.Close(t.Context()))
}

func TestWithoutMemoryFiles(t *testing.T) {
	withoutMemoryFiles(t)
	for name, cache := range map[string]string{"cache": filepath.Join(t.TempDir(), "cache"), "no cache": ""} {
		t.Setenv("TMPDIR", t.TempDir())
		if err := openWorks(t, cache); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, dir := range []string{cache, os.TempDir()} {
			if left, err := filepath.Glob(filepath.Join(dir, "helper-*")); err != nil || len(left) > 0 {
				t.Errorf("%s: %q is left, %v", name, left, err)
			}
		}
	}
}

// TestNoExec has no directory either from which programs are executed.
func TestNoExec(t *testing.T) {
	withoutMemoryFiles(t)
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_NOEXEC, "mode=700"); err != nil {
		t.Skipf("mounting needs root: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	t.Setenv("TMPDIR", dir)
	err := openWorks(t, filepath.Join(dir, "cache"))
	if err == nil {
		t.Fatal("a program is executed")
	}
	for _, want := range []string{"does not let it execute", "from memory: permission denied", "from " + dir + "/cache: permission denied", "from " + dir + ": permission denied"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	// With a place elsewhere it works.
	t.Setenv("TMPDIR", "/var/tmp")
	if err := openWorks(t, filepath.Join(dir, "cache")); err != nil {
		t.Error(err)
	}
}
