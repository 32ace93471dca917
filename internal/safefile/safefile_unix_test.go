//go:build unix

package safefile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKinds opens what is found in the place of a file. Nobody is at the other
// end of the pipe: who waits for somebody waits until the test's time is over.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("file"), "text")
	if err := unix.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	listen(t, dir, "socket")
	for name, target := range map[string]string{"link": "file", "to-pipe": "pipe", "nowhere": "none", "loop": "loop", "device": os.DevNull} {
		if err := os.Symlink(target, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]struct{ open, unlinked, dir error }{
		"file":    {nil, nil, syscall.ENOTDIR},
		"link":    {nil, ErrIrregular, syscall.ENOTDIR},
		"pipe":    {ErrIrregular, ErrIrregular, syscall.ENOTDIR},
		"to-pipe": {ErrIrregular, ErrIrregular, syscall.ENOTDIR},
		"socket":  {ErrIrregular, ErrIrregular, syscall.ENOTDIR},
		"device":  {ErrIrregular, ErrIrregular, syscall.ENOTDIR},
		"dir":     {ErrDirectory, ErrDirectory, nil},
		"none":    {fs.ErrNotExist, fs.ErrNotExist, fs.ErrNotExist},
		"nowhere": {fs.ErrNotExist, ErrIrregular, syscall.ENOTDIR},
		"loop":    {unix.ELOOP, ErrIrregular, syscall.ENOTDIR},
	} {
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR} {
			f, err := Open(at(name), flag)
			wantError(t, "open "+name, f, err, want.open, flag)
			f, err = OpenUnlinked(at(name), flag)
			wantError(t, "open unlinked "+name, f, err, want.unlinked, flag)
		}
		f, err := OpenDir(at(name))
		wantError(t, "open as a directory "+name, f, err, want.dir, os.O_RDONLY)
	}
}

// wantError also takes EISDIR for a directory that is written to.
func wantError(t *testing.T, what string, f *os.File, err, want error, flag int) {
	t.Helper()
	if err == nil {
		f.Close()
	}
	if want == ErrDirectory && flag != os.O_RDONLY {
		want = syscall.EISDIR
	}
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%s, flag %d: got %v, want %v", what, flag, err, want)
	}
}

// listen makes a socket. Its path may be longer than the system takes.
func listen(t *testing.T, dir, name string) {
	t.Helper()
	t.Chdir(dir)
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSwappedForPipe puts a pipe into a file's place and back while it is opened:
// what was looked at is not what is opened.
func TestSwappedForPipe(t *testing.T) {
	dir := t.TempDir()
	name, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
	write(t, name, "text")
	if err := unix.Mkfifo(other, 0o600); err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(dir, "aside")
	done := make(chan struct{})
	swapped := make(chan struct{})
	go func() {
		defer close(swapped)
		for {
			select {
			case <-done:
				return
			default:
			}
			_ = os.Rename(name, aside)
			_ = os.Rename(other, name)
			_ = os.Rename(aside, other)
		}
	}()
	for range 5000 {
		for _, open := range []func(string, int) (*os.File, error){Open, OpenUnlinked} {
			f, err := open(name, os.O_RDONLY)
			if err == nil {
				f.Close()
			} else if !errors.Is(err, ErrIrregular) && !errors.Is(err, ErrReplaced) && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}
	}
	close(done)
	<-swapped
}

// TestPlanted wants what other users put where everybody can to be told from the
// rest. Only root can give a file away: another user has the files of root, which
// count as one's own do.
func TestPlanted(t *testing.T) {
	dir := resolved(t, t.TempDir())
	shared, own := filepath.Join(dir, "shared"), filepath.Join(dir, "own")
	for _, d := range []string{shared, own} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(d, "file"), "")
		if err := os.Symlink(own, filepath.Join(d, "link")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(shared, 0o1777); err != nil {
		t.Fatal(err)
	}
	wantPlanted(t, shared, nil)
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away; as root the rest is tested")
	}
	const other = 12345
	give := func(uid int, names ...string) {
		for _, name := range names {
			if err := os.Lchown(name, uid, uid); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, d := range []string{shared, own} {
		give(other, filepath.Join(d, "file"), filepath.Join(d, "link"))
	}
	wantPlanted(t, shared, ErrForeign)
	wantPlanted(t, own, nil)
	give(other, shared)
	wantPlanted(t, shared, nil)
}

func wantPlanted(t *testing.T, dir string, want error) {
	t.Helper()
	for _, err := range []error{CheckPlanted(filepath.Join(dir, "file")), resolveError(filepath.Join(dir, "link", "file"))} {
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", dir, err, want)
		}
	}
}

func resolveError(path string) error {
	_, err := Resolve(path)
	return err
}

func resolved(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestResolve wants what filepath.EvalSymlinks says.
func TestResolve(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, d := range []string{"a/b/c", "d"} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"up": "a/b/..", "abs": filepath.Join(dir, "a", "b"), "two": "up/b", "deep": "a/b/c", "a/b/out": "../../d",
		"none": "missing", "loop": "loop", "root": "/", "far": "../../../../../../../../../../../../..",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		"a", "up", "abs", "two", "deep/..", "a/b/out", "deep/../out", "none", "loop", "missing/x", "root", "far", ".", "root/tmp",
	} {
		want, wantErr := filepath.EvalSymlinks(path)
		if abs, err := filepath.Abs(want); err == nil && wantErr == nil {
			want = resolved(t, abs)
		}
		got, err := Resolve(path)
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("%s: got %s, %v, want %s, %v", path, got, err, want, wantErr)
		}
	}
}
