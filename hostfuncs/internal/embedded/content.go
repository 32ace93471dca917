package embedded

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// content is what is in a file. Nothing of it is in memory.
type content interface {
	open() (io.ReadCloser, error)
}

// contextFile is a file of the build's context.
type contextFile struct {
	context *image.Context
	name    string
}

func (c contextFile) open() (io.ReadCloser, error) { return c.context.OpenFile(c.name) }

// text is a file that the Dockerfile has inline.
type text string

func (t text) open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(t))), nil }

// part is a part of a file of ours.
type part struct {
	path         string
	offset, size int64
}

func (p part) open() (io.ReadCloser, error) {
	f, err := openKept(p.path)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, p.offset, p.size), f}, nil
}

var errChanged = errors.New("it changed while it was read; build again once nothing changes it, or name it in .dockerignore")

// copyTo writes what is in a file, which must be as much as it was at first.
func (f *file) copyTo(w io.Writer, buffer []byte) error {
	r, err := f.content.open()
	if err != nil {
		return err
	}
	defer r.Close()
	// The limit's reader also hides methods that would copy with a new buffer
	// for each file.
	n, err := io.CopyBuffer(w, &io.LimitedReader{R: r, N: f.size}, buffer)
	if err != nil {
		return err
	}
	more, err := r.Read(buffer[:1])
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n < f.size || more > 0 {
		return f.problem(errChanged)
	}
	return nil
}

// problem says which file of the context an error is about.
func (f *file) problem(err error) error {
	if c, ok := f.content.(contextFile); ok {
		return fmt.Errorf("build context: %s: %w", c.name, err)
	}
	return err
}

// small is what is in a file that must be small.
func (f *file) small(limit int64) (string, error) {
	if f.size > limit {
		return "", fmt.Errorf("it is larger than %d bytes", limit)
	}
	r, err := f.content.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit))
	return string(text), err
}
