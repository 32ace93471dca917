// Package atomicfile writes a file whole or not at all.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Write writes a file with mode 0644. It follows a link at the path, unless another
// user may have created it. It refuses to replace anything but a regular file, such
// as a device. On failure an existing file is unchanged; the error names it, not the
// temporary file.
func Write(path string, data []byte) error { return write(path, data, 0o644) }

// WritePrivate is [Write] with mode 0600.
func WritePrivate(path string, data []byte) error { return write(path, data, 0o600) }

func write(path string, data []byte, mode fs.FileMode) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	f.mode = mode
	if _, err := f.Write(data); err != nil {
		f.Discard()
		return err
	}
	return f.Commit()
}

// WriteNew writes a file that does not exist, with mode 0644. Of several processes that
// write one file at the same time, one succeeds.
//
// # Errors
//
// [fs.ErrExist] if anything is at the path, even a dangling link.
func WriteNew(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".stagecraft-*")
	if err != nil {
		return named(path, err)
	}
	f := &File{file: file, path: path, mode: 0o644}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(f.mode), file.Close()); err != nil {
		return named(path, err)
	}
	// A rename would replace a file that another process has just written.
	err = os.Link(file.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
		// Some file systems have no links.
		return writeExclusive(path, data)
	}
	return named(path, err)
}

func writeExclusive(path string, data []byte) error {
	file, err := safefile.Create(path, 0o644)
	if err != nil {
		return named(path, err)
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(path)
	}
	return named(path, err)
}

// File is a file being written. The caller commits or discards it.
type File struct {
	file *os.File
	path string // as given, for errors
	to   string // with links resolved
	mode fs.FileMode
}

// Create begins to write a file, as [Write] does.
func Create(path string) (*File, error) {
	to, err := target(path)
	if err != nil {
		return nil, named(path, err)
	}
	file, err := os.CreateTemp(filepath.Dir(to), ".stagecraft-*")
	if err != nil {
		return nil, named(path, err)
	}
	return &File{file: file, path: path, to: to, mode: 0o644}, nil
}

// target returns the path to replace. A dangling link is replaced itself.
func target(path string) (string, error) {
	// Links in /proc, such as /dev/stdout, lead to files without a path.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return "", &fs.PathError{Path: path, Err: safefile.ErrDirectory}
		}
		return "", &fs.PathError{Path: path, Err: safefile.ErrIrregular}
	}
	resolved, err := safefile.Resolve(path)
	switch {
	case errors.Is(err, safefile.ErrForeign):
		return "", err
	case err != nil:
		return path, nil
	}
	return resolved, nil
}

// Write implements [io.Writer].
func (f *File) Write(data []byte) (int, error) {
	n, err := f.file.Write(data)
	return n, named(f.path, err)
}

// Commit moves the file to its path.
func (f *File) Commit() error {
	err := f.file.Chmod(f.mode)
	if err == nil {
		err = f.file.Close()
	}
	if err == nil {
		err = os.Rename(f.file.Name(), f.to)
	}
	if err != nil {
		f.Discard()
	}
	return named(f.path, err)
}

// Discard removes the temporary file.
func (f *File) Discard() {
	f.file.Close()
	os.Remove(f.file.Name())
}

// named returns the error with another path.
func named(path string, err error) error {
	var cause error
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		cause = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		cause = e.Err
	} else {
		return err
	}
	return &fs.PathError{Op: "write", Path: path, Err: cause}
}
