//go:build !linux

package process

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// errFileChanged never occurs: nothing is compared.
var errFileChanged = errors.New("another file")

// Executable is the file of a program. Only Linux runs a file that was opened:
// elsewhere each step uses the file at the path.
type Executable struct{ path string }

// OpenExecutable takes the path.
func OpenExecutable(path string) (*Executable, error) { return &Executable{path}, nil }

// Read opens the file for reading. It does not wait for a pipe's writer.
func (x *Executable) Read() (*os.File, error) {
	return os.OpenFile(x.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Path is where the file is, without links.
func (x *Executable) Path() (string, error) { return filepath.EvalSymlinks(x.path) }

// Close does nothing.
func (*Executable) Close() error { return nil }

// Directory is a working directory. Only Linux uses one that was opened.
type Directory struct{}

// OpenDirectory does nothing.
func OpenDirectory(string, string) (*Directory, error) { return &Directory{}, nil }

// Close does nothing.
func (*Directory) Close() error { return nil }
