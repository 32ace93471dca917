// Package safefile opens files by paths at which somebody else may have put
// something. An open never waits for the other end of a named pipe, never opens
// a device, and says what it found instead of a file.
package safefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// What is found in the place of a regular file.
var (
	ErrDirectory = errors.New("expected a file, got a directory")
	ErrIrregular = errors.New("not a regular file")
	// ErrReplaced is a file that was put in the place of another one while that
	// was opened.
	ErrReplaced = errors.New("it was replaced while it was opened")
	// ErrForeign is a file or link of another user in a directory that everybody
	// can write to.
	ErrForeign = errors.New("it belongs to another user, in a directory that everybody can write to")
)

// Open opens a regular file that is there, or what a link leads to; flag says
// whether to read or to write, and creates nothing.
//
// # Errors
//
// They are of the type [*fs.PathError], as from [os.OpenFile].
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

// isDevice tells what must not even be opened: that may do something, such as
// start a watchdog that restarts the machine. The rest is looked at once it is
// open, when nothing can take its place any more.
func isDevice(info fs.FileInfo) bool { return info.Mode()&fs.ModeDevice != 0 }

// OpenUnlinked is [Open] for a path that must not be a link.
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

// OpenOwn is [OpenUnlinked] to read a file of the user's own.
func OpenOwn(path string) (*os.File, error) {
	f, err := OpenUnlinked(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !IsOwn(info) {
		return nil, errors.Join(problem(path, errors.New("it belongs to another user")), f.Close())
	}
	return f, nil
}

// OpenIn opens a regular file below a root, which no link leads out of, to read
// it. It is for one that was looked at: a device that took its place since is
// opened, and closed again.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	return regular(root.OpenFile(name, os.O_RDONLY|dontWait, 0))
}

// OpenDir opens a directory that is no link, and nothing else.
func OpenDir(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|dontFollow|directoryAlone, 0)
}

// Create makes a file where there is nothing: also no link, which would have it
// made elsewhere.
func Create(path string, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
}

// Read reads the beginning of a file that [Open] opens, of that many bytes at
// most.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// Check reports whether [Open] would open a file to read. It is for paths that a
// library opens.
func Check(path string) error {
	f, err := Open(path, os.O_RDONLY)
	if err != nil {
		return err
	}
	return f.Close()
}

func regular(f *os.File, err error) (*os.File, error) {
	if e, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, syscall.ENXIO) {
		// So do sockets answer, and pipes that nobody reads.
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
