package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

var (
	errChanged    = errors.New("it changed while it was read; build again when nothing writes to it, or name it in .dockerignore")
	errNotRegular = errors.New("it is not a regular file")
)

// contextError says which file keeps a context from being sent.
type contextError struct {
	path string
	err  error
}

func (e *contextError) Error() string {
	cause := e.err
	// What the os package's errors name is there already, in full.
	if known, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = known.Err
	}
	return fmt.Sprintf("build context: %s: %v", e.path, cause)
}

func (e *contextError) Unwrap() error { return e.err }

// problem says which path of the context an error is about.
func (t *tarWriter) problem(name string, err error) error {
	return t.problemAt(filepath.Join(t.context.build.Context, filepath.FromSlash(name)), err)
}

// problemAt leaves alone an error that says so already.
func (t *tarWriter) problemAt(path string, err error) error {
	if _, ok := errors.AsType[*contextError](err); ok {
		return err
	}
	return &contextError{path: path, err: err}
}
