// Package safefile opens files by paths that others may control. It never waits
// for the other end of a named pipe, never opens a device, and returns an error
// that says what is there instead of a regular file.
package safefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Errors of paths without a regular file.
var (
	ErrDirectory = errors.New("expected a file, got a directory")
	ErrIrregular = errors.New("not a regular file")
	// ErrReplaced means that the file was replaced while it was opened.
	ErrReplaced = errors.New("replaced while it was opened")
	// ErrForeign means that another user owns the file or link, in a directory
	// that all users can write to.
	ErrForeign = errors.New("owned by another user, in a directory that all users can write to")
)

// Open opens an existing regular file, following links. The flag is for reading or
// writing; nothing is created.
//
// # Errors
//
// Errors are of type [*fs.PathError], as those of [os.OpenFile].
func Open(path string, flag int) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if isDevice(info) {
		return nil, problem(path, ErrIrregular)
	}
	return regular(os.OpenFile(path, flag|dontWait, 0))
}

// isDevice reports whether a file must not be opened at all: opening a device can
// have effects, such as starting a watchdog that restarts the machine. All else is
// checked once it is open, when it can no longer be replaced.
func isDevice(info fs.FileInfo) bool { return info.Mode()&fs.ModeDevice != 0 }

// OpenUnlinked is [Open], but refuses links.
func OpenUnlinked(path string, flag int) (*os.File, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if isDevice(before) || before.Mode()&fs.ModeSymlink != 0 {
		return nil, problem(path, ErrIrregular)
	}
	f, err := regular(os.OpenFile(path, flag|dontWait|dontFollow, 0))
	if err != nil {
		return nil, err
	}
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		return nil, errors.Join(problem(path, ErrReplaced), f.Close())
	}
	return f, nil
}

// OpenOwn opens a file for reading like [OpenUnlinked]. The user has to own it.
func OpenOwn(path string) (*os.File, error) {
	f, err := OpenUnlinked(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !IsOwn(info) {
		return nil, errors.Join(problem(path, errors.New("owned by another user")), f.Close())
	}
	return f, nil
}

// OpenIn opens a regular file below a root for reading; links cannot leave the
// root. The caller has checked the file: a device that replaced it since is opened
// and closed again.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	return regular(root.OpenFile(name, os.O_RDONLY|dontWait, 0))
}

// OpenDir opens a directory. It refuses links to directories.
func OpenDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|dontFollow|directoryAlone, 0)
}

// Create creates a file. It fails if the path exists, even as a dangling link,
// which would create the file elsewhere.
func Create(path string, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
}

// Read opens a file with [Open] and reads at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// Check returns the error of opening a file for reading with [Open]. It is for paths
// that a library opens.
func Check(path string) error {
	f, err := Open(path, os.O_RDONLY)
	if err != nil {
		return err
	}
	return f.Close()
}

func regular(f *os.File, err error) (*os.File, error) {
	if e, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, syscall.ENXIO) {
		// From sockets, and from pipes without a reader.
		return nil, problem(e.Path, ErrIrregular)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = problem(f.Name(), ErrDirectory)
	case !info.Mode().IsRegular():
		err = problem(f.Name(), ErrIrregular)
	default:
		return f, nil
	}
	return nil, errors.Join(err, f.Close())
}

func problem(path string, err error) error {
	return &fs.PathError{Op: "open", Path: path, Err: err}
}
