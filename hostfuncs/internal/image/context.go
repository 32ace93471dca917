package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Context is the directory that an image is built from, opened once. Nothing outside it
// is read, and links do not leave it.
type Context struct {
	build  Build
	root   *os.Root
	ignore ignoreFile
	// rules decide which files are left out.
	rules *ignoreRules
	// dockerfile is the Dockerfile's name in the context, empty if it is outside.
	dockerfile string
	without    []string // names that are always left out
}

// Open opens the context of a build. It must be closed.
//
// # Errors
//
// A missing or replaced file, and an invalid ignore file, with its line.
func Open(b Build) (*Context, error) {
	for _, path := range []string{b.Context, b.Dockerfile} {
		if err := checkResolved(path); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(b.Context)
	if err != nil {
		return nil, fmt.Errorf("build context: %w", err)
	}
	c := &Context{build: b, root: root}
	info, err := root.Stat(".")
	if err == nil {
		err = wantSame(b.Context, b.ContextInfo, info)
	}
	if err == nil {
		err = c.prepare()
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return c, nil
}

// Close releases the directory.
func (c *Context) Close() error { return c.root.Close() }

// wantSame refuses another file or directory than the one that was decided on.
func wantSame(path string, decided, info os.FileInfo) error {
	if decided == nil || os.SameFile(decided, info) {
		return nil
	}
	return &ContextError{path: path, err: errors.New("it was replaced after it was decided on")}
}

// prepare finds the Dockerfile and the ignore rules.
func (c *Context) prepare() error {
	f, err := c.build.openDockerfile()
	if err != nil {
		return err
	}
	f.Close()
	if name, err := filepath.Rel(c.build.Context, c.build.Dockerfile); err == nil && filepath.IsLocal(name) {
		c.dockerfile = filepath.ToSlash(name)
	}
	for _, path := range c.build.Without {
		if name, err := filepath.Rel(c.build.Context, path); err == nil {
			c.without = append(c.without, filepath.ToSlash(name))
		}
	}
	if c.ignore, err = readIgnore(c.root, c.build.Dockerfile); err != nil {
		return err
	}
	c.rules, err = c.ignore.rules()
	return err
}

// Ignore returns the text of the ignore file in effect, nil if there is none.
func (c *Context) Ignore() []byte { return c.ignore.text }

// OpenFile opens a file of the context. A pipe is an error, and never waited for.
func (c *Context) OpenFile(name string) (*os.File, error) {
	f, err := openFile(c.root, filepath.FromSlash(name))
	if err != nil {
		return nil, c.problem(name, unreadable(err))
	}
	return f, nil
}

// Readlink returns the target of a link of the context.
func (c *Context) Readlink(name string) (string, error) {
	target, err := c.root.Readlink(filepath.FromSlash(name))
	return filepath.ToSlash(target), err
}

// unusedName returns an unused name for the Dockerfile in the context. It is the same
// in each build, so that cached steps stay valid.
func (c *Context) unusedName() string {
	sum := sha256.Sum256([]byte(c.build.Dockerfile))
	name := ".dockerfile." + hex.EncodeToString(sum[:10])
	for {
		if _, err := c.root.Lstat(name); err != nil {
			return name
		}
		name += "x"
	}
}

// checkResolved requires an absolute path without links.
func checkResolved(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("build: %q is not an absolute path", path)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if resolved != filepath.Clean(path) {
		return fmt.Errorf("build: %s is a link to %s", path, resolved)
	}
	return nil
}

func (b Build) openDockerfile() (*os.File, error) {
	f, err := openRegular(b.Dockerfile)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = wantSame(b.Dockerfile, b.DockerfileInfo, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// openRegular opens a regular file, not a link, directory or device. It opens it within
// its directory, so that a link that replaces it cannot leave the directory.
func openRegular(path string) (*os.File, error) {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	name := filepath.Base(path)
	info, err := dir.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, &ContextError{path: path, err: err}
	}
	f, err := openFile(dir, name)
	if err != nil {
		return nil, &ContextError{path: path, err: err}
	}
	return f, nil
}

// openFile opens a regular file.
func openFile(dir *os.Root, name string) (*os.File, error) {
	f, err := safefile.OpenIn(dir, name)
	if errors.Is(err, safefile.ErrIrregular) || errors.Is(err, safefile.ErrDirectory) {
		return nil, errNotRegular
	}
	return f, err
}

// Stream sends a context to an engine as a tar.
type Stream struct {
	*io.PipeReader
	// Dockerfile is the Dockerfile's name in the tar.
	Dockerfile string
	done       chan error
}

// Stream sends the context to the reader of the result, and closes the context at its
// end. Closing the result ends it too. It is for an engine that reads the ignore file
// in the context, and removes the Dockerfile and that file if they are ignored.
func (c *Context) Stream(ctx context.Context) *Stream {
	r, w := io.Pipe()
	return c.stream(r, w, c.newTar(ctx, w))
}

// StreamApart is [Context.Stream] for an engine that gets the names to ignore: only the
// Dockerfile, under an unused name. A Dockerfile and ignore files in the context are
// sent like other files.
func (c *Context) StreamApart(ctx context.Context) *Stream {
	r, w := io.Pipe()
	return c.stream(r, w, c.newTarApart(ctx, w))
}

func (c *Context) stream(r *io.PipeReader, w *io.PipeWriter, t *tarWriter) *Stream {
	s := &Stream{PipeReader: r, Dockerfile: t.dockerfile, done: make(chan error, 1)}
	go func() {
		err := t.write()
		c.root.Close()
		s.done <- err
		w.CloseWithError(err)
	}()
	return s
}

// Failure returns the error of a file that broke the stream, if that is why.
func (s *Stream) Failure() error {
	select {
	case err := <-s.done:
		if errors.Is(err, io.ErrClosedPipe) {
			return nil
		}
		return err
	default:
		return nil
	}
}
