package image

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

// ContextError says which file keeps a context from being sent.
type ContextError struct {
	path string
	err  error
}

func (e *ContextError) Error() string {
	cause := e.err
	// What the os package's errors name is there already, in full.
	if known, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = known.Err
	}
	return fmt.Sprintf("build context: %s: %v", e.path, cause)
}

func (e *ContextError) Unwrap() error { return e.err }

// problem says which path of the context an error is about.
func (c *Context) problem(name string, err error) error {
	return problemAt(filepath.Join(c.build.Context, filepath.FromSlash(name)), err)
}

// problemAt leaves alone an error that says so already.
func problemAt(path string, err error) error {
	if _, ok := errors.AsType[*ContextError](err); ok {
		return err
	}
	return &ContextError{path: path, err: err}
}

// Changed is the error of a file that isn't what was told of it.
func (c *Context) Changed(name string) error { return c.problem(name, errChanged) }
