// Package atomicfile writes files that are there whole or not at all.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Write puts a file in place, with mode 0644. A link in its place is followed,
// so that what it leads to is what changes, unless another user may have put it
// there. What is no file, such as a device, is not replaced. Where it can't be written the file
// that was there is as before, and the error names it, not what was to take its
// place.
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

// File is one on its way to its place. It has to be committed or discarded.
type File struct {
	file *os.File
	path string // as it was asked for, for errors
	to   string // where it goes, with links resolved
	mode fs.FileMode
}

// Create begins a file, as [Write] writes it.
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

// target is what a file takes the place of. A link that leads nowhere is
// replaced itself.
func target(path string) (string, error) {
	// Links in /proc, as /dev/stdout is one, lead to what no path names.
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

// Commit puts the file in its place.
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

// Discard leaves the place as it was.
func (f *File) Discard() {
	f.file.Close()
	os.Remove(f.file.Name())
}

// named has an error tell of a path, whatever file it is about.
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
