package buildkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// errNoText is for names that BuildKit's protocol cannot represent.
var errNoText = errors.New("its name, or its target if it is a link, is not in UTF-8, which BuildKit requires; rename it, or name it in .dockerignore")

// contextFiles sends a context to BuildKit, which asks for the files that changed.
type contextFiles struct {
	context *image.Context

	mu    sync.Mutex
	sizes map[string]int64
	// failed is the first error of a file. BuildKit's protocol treats a missing or
	// truncated file as complete.
	failed error
	stop   func(error)
}

// Walk implements [fsutil.FS].
func (c *contextFiles) Walk(ctx context.Context, at string, visit fs.WalkDirFunc) error {
	err := c.context.WalkAt(ctx, local(at), func(name string, info fs.FileInfo) error {
		if !utf8.ValidString(name) {
			return c.context.Leave(name, info.IsDir(), errNoText)
		}
		stat := &types.Stat{Path: name, Mode: uint32(info.Mode()), ModTime: info.ModTime().UnixNano()}
		switch mode := info.Mode(); {
		case mode.IsRegular():
			stat.Size = info.Size()
			c.mu.Lock()
			c.sizes[name] = info.Size()
			c.mu.Unlock()
		case mode&fs.ModeSymlink != 0:
			target, err := c.context.Readlink(name)
			if err == nil && !utf8.ValidString(target) {
				err = errNoText
			}
			if err != nil {
				return c.context.Leave(name, false, err)
			}
			stat.Linkname = target
		}
		return visit(filepath.FromSlash(name), &fsutil.DirEntryInfo{Stat: stat}, nil)
	})
	return c.fail(err)
}

// Open implements [fsutil.FS].
func (c *contextFiles) Open(name string) (io.ReadCloser, error) {
	name = local(name)
	f, err := c.context.OpenFile(name)
	if err != nil {
		return nil, c.fail(c.context.Refuse(name, false, err))
	}
	c.mu.Lock()
	size, ok := c.sizes[name]
	c.mu.Unlock()
	if !ok {
		f.Close()
		return nil, c.fail(fmt.Errorf("the engine asks for %q, which was not offered", name))
	}
	return &wholeFile{ReadCloser: f, left: size, changed: func() error { return c.fail(c.context.Changed(name)) }}, nil
}

// fail keeps the first error and stops the build.
func (c *contextFiles) fail(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	c.mu.Lock()
	first := c.failed == nil
	if first {
		c.failed = err
	}
	c.mu.Unlock()
	if first {
		c.stop(err)
	}
	return err
}

func (c *contextFiles) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// wholeFile reads a file that must have the announced size.
type wholeFile struct {
	io.ReadCloser
	left    int64
	changed func() error
}

func (f *wholeFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	f.left -= int64(n)
	if f.left < 0 || err == io.EOF && f.left > 0 {
		return 0, f.changed()
	}
	return n, err
}

// local returns BuildKit's name of a file relative to the directory.
func local(name string) string {
	return path.Join(".", strings.TrimLeft(path.Clean("/"+filepath.ToSlash(name)), "/"))
}

// texts are files in memory, in one directory. Their time is always new, so they
// are always sent: to a builder, a file with the same size and time is unchanged.
type texts map[string][]byte

// Walk implements [fsutil.FS].
func (t texts) Walk(ctx context.Context, at string, visit fs.WalkDirFunc) error {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if at := local(at); at != "." && at != name {
			continue
		}
		stat := &types.Stat{Path: name, Mode: 0o644, Size: int64(len(t[name])), ModTime: time.Now().UnixNano()}
		if err := visit(name, &fsutil.DirEntryInfo{Stat: stat}, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// Open implements [fsutil.FS].
func (t texts) Open(name string) (io.ReadCloser, error) {
	text, ok := t[local(name)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}
