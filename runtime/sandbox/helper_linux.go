package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/klauspost/compress/s2"
	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/memfile"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Helper is the program cmd/stagecraft-sandbox, as a program carries it. Nil is this
// program itself, see [Main].
type Helper struct {
	compressed []byte
	// memory is a memory file with the program. It stays open, since a run may start
	// several.
	memory func() (*os.File, error)
}

// NewHelper returns the helper with a program that is compressed by s2, nil if that is
// empty.
func NewHelper(compressed []byte) *Helper {
	if len(compressed) == 0 {
		return nil
	}
	h := &Helper{compressed: compressed}
	h.memory = sync.OnceValues(func() (*os.File, error) { return memfile.New(frame.ProgramName, h.program()) })
	return h
}

func (h *Helper) program() io.Reader { return s2.NewReader(bytes.NewReader(h.compressed)) }

// exec starts the helper from a memory file. Where memory files may not be executed, it
// is executed from a copy beside the compiled code of modules, where no other user and no
// command of a provider can change it, and which is removed at once.
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
		return 0, fmt.Errorf("the system does not let it execute: from memory: %w; there is no directory for a copy", err)
	}
	pid, copyErr := h.execCopy(l.copies, argv, attr)
	if copyErr != nil {
		return 0, fmt.Errorf("the system does not let it execute: from memory: %w; from %s: %w", err, l.copies, copyErr)
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
	if err := writeProgram(file, h.program()); err != nil {
		return 0, err
	}
	return syscall.ForkExec(file, argv, attr)
}

// writeProgram writes a program while this program starts no other one, which would
// inherit the open file for a moment, and keep it from being executed.
func writeProgram(file string, program io.Reader) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Open(file, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o700)
	if err != nil {
		return &os.PathError{Op: "open", Path: file, Err: err}
	}
	f := os.NewFile(uintptr(fd), file)
	_, err = io.Copy(f, program)
	return errors.Join(err, f.Close())
}
