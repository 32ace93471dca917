package sandbox

import (
	"errors"
	"fmt"
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

// Helper is the programs cmd/stagecraft-sandbox and cmd/stagecraft-schema, embedded in this
// one. A nil Helper is this program itself, see [Main].
type Helper struct{ module, schema *program }

// NewHelper returns the helper with its programs, for modules, and for schemas compressed by
// S2. It returns nil if there is none for modules.
func NewHelper(module, schema []byte) *Helper {
	if len(module) == 0 {
		return nil
	}
	return &Helper{
		newProgram(func() ([]byte, error) { return module, nil }),
		newProgram(func() ([]byte, error) { return s2.Decode(nil, schema) }),
	}
}

// of is the program of a helper by its name.
func (h *Helper) of(name string) *program {
	if name == frame.SchemaName {
		return h.schema
	}
	return h.module
}

// program is an embedded program.
type program struct {
	content func() ([]byte, error)
	// memory returns a memory file with the program. It stays open, since a run may start
	// several helpers.
	memory func() (*os.File, error)
}

func newProgram(content func() ([]byte, error)) *program {
	return &program{content, sync.OnceValues(func() (*os.File, error) {
		data, err := content()
		if err != nil {
			return nil, err
		}
		return memfile.New(frame.ProgramName, data)
	})}
}

// Ready begins to copy the program for modules to a memory file, which takes longer than all that a run
// does before it starts the helper.
func (h *Helper) Ready() {
	if h != nil {
		// The start of the helper gets its error.
		go func() { _, _ = h.module.memory() }()
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
	program := h.of(l.name)
	memory, err := program.memory()
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
	pid, copyErr := program.execCopy(l.copies, argv, attr)
	if copyErr != nil {
		return 0, fmt.Errorf("cannot execute the helper: from memory: %w; from %s: %w", err, l.copies, copyErr)
	}
	return pid, nil
}

func (p *program) execCopy(dir string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	dir, err = os.MkdirTemp(dir, "helper-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, frame.ProgramName)
	data, err := p.content()
	if err != nil {
		return 0, err
	}
	if err := writeProgram(file, data); err != nil {
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
