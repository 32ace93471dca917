package process

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStartErrorsSayWhy(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		mode          os.FileMode
		why           string
		is            error
	}{
		{"plain", "#!/bin/sh\n", 0o644, "is not executable", syscall.EACCES},
		{"empty", "", 0o755, "is an empty file", syscall.ENOEXEC},
		{"bare", "echo hello\n", 0o755, "is neither a program nor a script: a script needs a first line like #!/bin/sh", syscall.ENOEXEC},
		{"foreign", "\xcf\xfa\xed\xfe....", 0o755, "is damaged or was built for another system or processor", syscall.ENOEXEC},
		{"damaged", "\x7fELF", 0o755, "is damaged or was built for another system or processor", syscall.ENOEXEC},
		{"gone", "#! /no/such/shell -e\n", 0o755, "its interpreter /no/such/shell does not exist", syscall.ENOENT},
		{"dos", "#!/bin/sh\r\necho\r\n", 0o755, "its first line ends in a carriage return, so its interpreter is not found: save it with Unix line ends", syscall.ENOENT},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := shell(t, "")
			c.Program = filepath.Join(c.Dir, tt.name)
			if err := os.WriteFile(c.Program, []byte(tt.content), tt.mode); err != nil {
				t.Fatal(err)
			}
			wantStartError(t, c, tt.why, tt.is)
		})
	}
}

func TestStartErrorsOfDirectories(t *testing.T) {
	directory, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		program, dir, why string
		is                error
	}{
		{directory, directory, "is a directory", syscall.EACCES},
		{directory + "/none", directory, "no such file", syscall.ENOENT},
		{"/bin/sh", directory + "/none", "the working directory " + directory + "/none does not exist", syscall.ENOENT},
		{"/bin/sh", file, "the working directory " + file + " is not a directory", syscall.ENOTDIR},
	} {
		c := shell(t, "")
		c.Program, c.Dir = tt.program, tt.dir
		wantStartError(t, c, tt.why, tt.is)
	}
}

func wantStartError(t *testing.T, c Command, why string, is error) {
	t.Helper()
	_, err := Run(testContext(t), c)
	e, ok := errors.AsType[*StartError](err)
	if !ok || e.Program != c.Program || err.Error() != c.Program+": "+why {
		t.Errorf("got %v, want %s", err, why)
	}
	if !errors.Is(err, is) {
		t.Errorf("%v is no %v", err, is)
	}
}

func TestStartErrorOfTooLongArguments(t *testing.T) {
	c := shell(t, "")
	c.Argv = append(c.Argv, strings.Repeat("x", 32*os.Getpagesize())) // see execve(2)
	wantStartError(t, c, "its arguments and environment are too large for the system", syscall.E2BIG)
}

func TestLookPathAsksForOurRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	root := programs(t)
	for path, mode := range map[string]os.FileMode{filepath.Dir(root): 0o755, filepath.Join(root, "here"): 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	errs := make(chan error)
	go func() {
		// For this thread alone, which ends with its goroutine.
		runtime.LockOSThread()
		const nobody, same = 65534, ^uintptr(0)
		if _, _, number := unix.RawSyscall(unix.SYS_SETRESUID, same, nobody, same); number != 0 {
			errs <- number
			return
		}
		_, err := lookAt(filepath.Join(root, "here"))
		errs <- err
	}()
	if err := <-errs; !errors.Is(err, errNotExecutable) {
		t.Errorf("got %v", err)
	}
}
