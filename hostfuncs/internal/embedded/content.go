package embedded

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// content is the content of a file, which is not kept in memory.
type content interface {
	open() (io.ReadCloser, error)
}

// contextFile is a file of the build context.
type contextFile struct {
	context *image.Context
	name    string
}

func (c contextFile) open() (io.ReadCloser, error) { return c.context.OpenFile(c.name) }

// text is a file in the Dockerfile itself.
type text string

func (t text) open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(t))), nil }

// part is a part of a temporary file.
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

// copyTo writes the content of a file, which must still have its size.
func (f *file) copyTo(w io.Writer, buffer []byte) error {
	r, err := f.content.open()
	if err != nil {
		return err
	}
	defer r.Close()
	err = image.CopyWhole(w, r, f.size, buffer)
	if c, ok := f.content.(contextFile); ok && errors.Is(err, image.ErrChanged) {
		return fmt.Errorf("build context: %s: %w", c.name, err)
	}
	return err
}

// small returns the content of a small file.
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

// contextTree returns the build context as a file system. Owners, times and most
// permissions depend on the checkout and are left out. Only whether the owner may
// execute a file is kept, as git does.
func contextTree(ctx context.Context, c *image.Context, count *int, time int64) (*tree, error) {
	t := newTree(count)
	err := c.Walk(ctx, func(name string, info fs.FileInfo) error {
		f := &file{time: time}
		switch mode := info.Mode(); {
		case mode.IsRegular():
			f.kind, f.mode, f.size, f.content = tar.TypeReg, fileMode(runtime.GOOS, mode), info.Size(), contextFile{c, name}
		case mode.IsDir():
			f.kind, f.mode = tar.TypeDir, 0o755
			if mode&fs.ModeSticky != 0 {
				f.mode |= 0o1000
			}
		case mode&fs.ModeSymlink != 0:
			target, err := c.Readlink(name)
			if err != nil {
				return err
			}
			f.kind, f.mode, f.link = tar.TypeSymlink, 0o777, target
		}
		dir, base := path.Split(name)
		_, parent, err := t.resolve(dir, false)
		if err != nil {
			return err
		}
		_, err = t.put(parent, base, f)
		return err
	})
	return t, err
}

// fileMode returns a file's mode in the image. Windows has no executable bit, so
// all files from there are executable, as with the docker command.
func fileMode(goos string, mode fs.FileMode) int64 {
	bits := int64(0o644)
	if mode&0o100 != 0 || goos == "windows" {
		bits = 0o755
	}
	if mode&fs.ModeSetuid != 0 {
		bits |= 0o4000
	}
	if mode&fs.ModeSetgid != 0 {
		bits |= 0o2000
	}
	return bits
}
