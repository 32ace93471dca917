//go:build !linux

package process

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// errFileChanged is never found: nothing is compared.
var errFileChanged = errors.New("another file")

// Executable is the file of a program. Only Linux runs a file that was opened:
// elsewhere it is the one that the path leads to at each step.
type Executable struct{ path string }

// OpenExecutable takes the path.
func OpenExecutable(path string) (*Executable, error) { return &Executable{path}, nil }

// Read opens the file for reading. It doesn't wait for a pipe's writer.
func (x *Executable) Read() (*os.File, error) {
	return os.OpenFile(x.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Path is where the file is, without links.
func (x *Executable) Path() (string, error) { return filepath.EvalSymlinks(x.path) }

// Close does nothing.
func (*Executable) Close() error { return nil }

// Directory is one to run a program in. Only Linux enters one that was opened.
type Directory struct{}

// OpenDirectory does nothing.
func OpenDirectory(string, string) (*Directory, error) { return &Directory{}, nil }

// Close does nothing.
func (*Directory) Close() error { return nil }
