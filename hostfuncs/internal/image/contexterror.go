package image

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

var (
	errChanged    = errors.New("it changed while it was read; build again once nothing changes it, or name it in .dockerignore")
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
	return fmt.Sprintf("build context: %s: %v", shortened(e.path), cause)
}

// shownLimit is the most bytes of a path that a message has.
const shownLimit = 600

// shortened is a path without its middle, where it is very long.
func shortened(path string) string {
	if len(path) <= shownLimit {
		return path
	}
	return strings.ToValidUTF8(path[:shownLimit/4], "") + "..." + strings.ToValidUTF8(path[len(path)-shownLimit/10:], "")
}

func (e *ContextError) Unwrap() error { return e.err }

// problem says which path of the context an error is about.
func (c *Context) problem(name string, err error) error {
	return problemAt(filepath.Join(c.build.Context, filepath.FromSlash(name)), err)
}

// problemAt keeps an error that names its path already.
func problemAt(path string, err error) error {
	if _, ok := errors.AsType[*ContextError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &ContextError{path: path, err: err}
}

// Changed is the error of a file that differs from what was announced.
func (c *Context) Changed(name string) error { return c.Refuse(name, false, errChanged) }
