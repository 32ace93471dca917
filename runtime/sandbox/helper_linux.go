package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/memfile"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Helper is the program cmd/stagecraft-sandbox, embedded in this one. A nil Helper is
// this program itself, see [Main].
type Helper struct {
	program []byte
	// memory returns a memory file with the program. It stays open, since a run may start
	// several helpers.
	memory func() (*os.File, error)
}

// NewHelper returns the helper with a program, or nil if there is no program.
func NewHelper(program []byte) *Helper {
	if len(program) == 0 {
		return nil
	}
	return &Helper{program, sync.OnceValues(func() (*os.File, error) { return memfile.New(frame.ProgramName, program) })}
}

// Ready begins to copy the program to a memory file, which takes longer than all that a run
// does before it starts the helper.
func (h *Helper) Ready() {
	if h != nil {
		// The start of the helper gets its error.
		go func() { _, _ = h.memory() }()
	}
}

// exec starts the helper from a memory file. If the kernel does not execute memory files,
// exec starts a copy in the directory of compiled code, which no other user and no command
// of a provider can change, and removes the copy at once.
func (h *Helper) exec(l launch, attr *syscall.ProcAttr) (pid int, err error) {
	argv := append([]string{l.name}, l.args()...)
	if h == nil {
		return execSelf(argv, attr)
	}
	memory, err := h.memory()
	if err == nil {
		inMemory := *attr
		inMemory.Files = append(slices.Clone(attr.Files), memory.Fd())
		pid, err = syscall.ForkExec(memfile.Path(len(attr.Files)), argv, &inMemory)
	}
	if err == nil {
		return pid, nil
	}
	if l.copies == "" {
		return 0, fmt.Errorf("cannot execute the helper: from memory: %w; there is no directory for a copy", err)
	}
	pid, copyErr := h.execCopy(l.copies, argv, attr)
	if copyErr != nil {
		return 0, fmt.Errorf("cannot execute the helper: from memory: %w; from %s: %w", err, l.copies, copyErr)
	}
	return pid, nil
}

func (h *Helper) execCopy(dir string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	dir, err = os.MkdirTemp(dir, "helper-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, frame.ProgramName)
	if err := writeProgram(file, h.program); err != nil {
		return 0, err
	}
	return syscall.ForkExec(file, argv, attr)
}

// writeProgram writes a program to a file. Meanwhile this program starts no other one,
// which would inherit the open file for a moment: a file that is open for writing cannot
// be executed.
func writeProgram(file string, program []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Open(file, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o700)
	if err != nil {
		return &os.PathError{Op: "open", Path: file, Err: err}
	}
	f := os.NewFile(uintptr(fd), file)
	_, err = f.Write(program)
	return errors.Join(err, f.Close())
}
