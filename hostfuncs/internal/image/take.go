package image

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
)

// Leave leaves out a file that cannot be sent. If an instruction takes it, it returns
// an error with the instruction's line.
func (c *Context) Leave(name string, isDir bool, why error) error {
	if c.build.Takes != nil && c.takenBy(name, isDir) == nil {
		return nil
	}
	return c.Refuse(name, isDir, why)
}

// Refuse returns the error of a file that cannot be sent, with the line of the
// instruction that takes it.
func (c *Context) Refuse(name string, isDir bool, why error) error {
	if _, known := errors.AsType[*Error](why); known {
		return why
	}
	err := c.problem(name, why)
	if t := c.takenBy(name, isDir); t != nil {
		return &Error{Line: t.Line, Message: t.Name + ": " + err.Error(), Err: err}
	}
	return err
}

// takenBy returns the first instruction that takes a path of the context, or something
// that may be in a directory; nil for none.
func (c *Context) takenBy(name string, isDir bool) *dockerfile.Take {
	names := strings.Split(name, "/")
	for i, t := range c.build.Takes {
		if t.Any || t.Takes(c.resolve(t.Path), names, isDir) {
			return &c.build.Takes[i]
		}
	}
	return nil
}

// linkLimit is the most links that a source may lead through.
const linkLimit = 255

// resolve follows the links of a source within the context, up to its first pattern,
// and splits it into names.
func (c *Context) resolve(source string) []string {
	var names []string
	rest := strings.Split(source, "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch {
		case name == "" || name == ".":
			continue
		case name == "..":
			names = names[:max(len(names)-1, 0)]
			continue
		case strings.ContainsAny(name, `*?[\`):
			return append(append(names, name), rest...)
		}
		target, err := c.Readlink(path.Join(path.Join(names...), name))
		if links++; err != nil || links > linkLimit {
			names = append(names, name)
			continue
		}
		if strings.HasPrefix(target, "/") {
			names = nil
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return names
}

var (
	errVanished = &advisedError{"it was removed while the context was read; build again once nothing changes it, or name it in .dockerignore", fs.ErrNotExist}
	errTooLong  = fmt.Errorf("its path is longer than the %d bytes that an image allows; rename it, or name it in .dockerignore", pathLimit)
)

// pathLimit is the most bytes of a path in an image: the kernel's limit without the
// leading slash and the final zero.
const pathLimit = 4094

// unsendable returns why a file cannot be part of an image, nil if it can.
func unsendable(name string, info fs.FileInfo) error {
	kind := ""
	switch mode := info.Mode(); {
	case len(name) > pathLimit:
		return errTooLong
	case mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case mode&fs.ModeSocket != 0:
		kind = "a socket"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	case mode&fs.ModeIrregular != 0:
		kind = "neither a file nor a directory nor a link"
	default:
		return nil
	}
	return fmt.Errorf("it is %s, which cannot be sent; name it in .dockerignore", kind)
}

// unreadable adds advice to an error.
func unreadable(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errVanished
	case errors.Is(err, fs.ErrPermission):
		return errUnreadable
	}
	return err
}

var errUnreadable = &advisedError{"permission denied; make it readable, or name it in .dockerignore", fs.ErrPermission}

// advisedError rewords another error and adds advice.
type advisedError struct {
	message string
	err     error
}

func (e *advisedError) Error() string { return e.message }

func (e *advisedError) Unwrap() error { return e.err }

// readableByAll are the permissions of a file that everybody can read.
const readableByAll = 0o444

// checkReadable opens a file that not everybody may read.
func (p place) checkReadable(name string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() || info.Mode()&readableByAll == readableByAll {
		return nil
	}
	f, err := openFile(p.root, filepath.FromSlash(p.local(name)))
	if err != nil {
		return err
	}
	return f.Close()
}

// ErrChanged means that a file changed while it was read.
var ErrChanged = errors.New("it changed while it was read; build again once nothing changes it, or name it in .dockerignore")

var errNotRegular = errors.New("it is not a regular file")

// ContextError is the error of a file of a context.
type ContextError struct {
	path string
	err  error
}

func (e *ContextError) Error() string {
	cause := e.err
	// The path is in the message already, in full.
	if known, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = known.Err
	}
	return fmt.Sprintf("build context: %s: %v", shortened(e.path), cause)
}

// shownLimit is the most bytes of a path in a message.
const shownLimit = 600

// shortened leaves out the middle of a very long path.
func shortened(path string) string {
	if len(path) <= shownLimit {
		return path
	}
	return strings.ToValidUTF8(path[:shownLimit/4], "") + "..." + strings.ToValidUTF8(path[len(path)-shownLimit/10:], "")
}

func (e *ContextError) Unwrap() error { return e.err }

// problem adds the path in the context to an error.
func (c *Context) problem(name string, err error) error {
	return problemAt(filepath.Join(c.build.Context, filepath.FromSlash(name)), err)
}

// problemAt adds a path to an error without one.
func problemAt(path string, err error) error {
	if _, ok := errors.AsType[*ContextError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &ContextError{path: path, err: err}
}

// Changed returns the error of a file that changed while it was read.
func (c *Context) Changed(name string) error { return c.Refuse(name, false, ErrChanged) }
