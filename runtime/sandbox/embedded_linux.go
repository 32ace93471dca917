//go:build helpers

package sandbox

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// helper is the program cmd/stagecraft-sandbox. "make build" lays it over this
// directory for the build alone.
//
//go:embed stagecraft-sandbox
var helper []byte

// Main does nothing: the helper is a program of its own here. Programs call it
// first; see session.Main.
func Main() {}

// execHelper starts the helper from a memory file. Where memory files may not be
// executed, it is executed from a file that no other user can change, and removed.
func execHelper(name string, args []string, attr *syscall.ProcAttr) (pid int, err error) {
	argv := append([]string{name}, args...)
	memory, err := memoryFile()
	if err == nil {
		pid, err = syscall.ForkExec(descriptor(memory), argv, attr)
	}
	if err == nil {
		return pid, nil
	}
	problems := "from memory: " + err.Error()
	for _, dir := range copyDirs(args[0]) {
		pid, err := execCopy(dir, argv, attr)
		if err == nil {
			return pid, nil
		}
		problems += fmt.Sprintf("; from %s: %s", dir, err)
	}
	return 0, errors.New("the system does not let it execute: " + problems)
}

func descriptor(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// memoryFile makes a memory file with the helper that nobody can change. It stays
// open, since a run may start several.
var memoryFile = sync.OnceValues(func() (fd int, err error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	writer, err := unix.MemfdCreate(frame.ProgramName, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		// Before Linux 6.3 all may be executed.
		writer, err = unix.MemfdCreate(frame.ProgramName, flags)
	}
	if err != nil {
		return 0, os.NewSyscallError("memfd_create", err)
	}
	defer unix.Close(writer)
	for rest := helper; len(rest) > 0; {
		n, err := unix.Write(writer, rest)
		if err != nil {
			return 0, os.NewSyscallError("write", err)
		}
		rest = rest[n:]
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(writer), unix.F_ADD_SEALS, seals); err != nil {
		return 0, os.NewSyscallError("fcntl", err)
	}
	// A file that is open for writing cannot be executed. The helper's own descriptors
	// are the first three.
	low, err := unix.Open(descriptor(writer), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: descriptor(writer), Err: err}
	}
	defer unix.Close(low)
	fd, err = unix.FcntlInt(uintptr(low), unix.F_DUPFD_CLOEXEC, 3)
	return fd, os.NewSyscallError("fcntl", err)
})

// copyDirs are where a copy may be executed: beside the module's compiled code, and
// where temporary files are.
func copyDirs(cache string) []string {
	if cache == "" {
		return []string{os.TempDir()}
	}
	return []string{filepath.Dir(cache), os.TempDir()}
}

func execCopy(dir string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	dir, err = os.MkdirTemp(dir, "helper-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, frame.ProgramName)
	if err := writeProgram(file); err != nil {
		return 0, err
	}
	return syscall.ForkExec(file, argv, attr)
}

// writeProgram writes the helper while this program starts no other one, which
// would inherit the open file for a moment, and keep it from being executed.
func writeProgram(file string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Open(file, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o700)
	if err != nil {
		return &os.PathError{Op: "open", Path: file, Err: err}
	}
	defer unix.Close(fd)
	for rest := helper; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil {
			return &os.PathError{Op: "write", Path: file, Err: err}
		}
		rest = rest[n:]
	}
	return nil
}
