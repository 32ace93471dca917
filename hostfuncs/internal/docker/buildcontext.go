package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// buildContext is what an engine gets to build from.
type buildContext struct {
	build      Build
	root       *os.Root
	rules      *ignoreRules
	dockerfile string   // the Dockerfile's name in the tar
	outside    bool     // it comes from outside of the context
	without    []string // names that stay behind, whatever the rules say
	// ignoreText takes the place of the context's ignore file, when not nil.
	ignoreText []byte
}

// openContext opens the folder once: nothing outside of it is read later, and
// no link in it is followed out of it.
func openContext(b Build) (*buildContext, error) {
	for _, path := range []string{b.Context, b.Dockerfile} {
		if err := checkResolved(path); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(b.Context)
	if err != nil {
		return nil, fmt.Errorf("build context: %w", err)
	}
	c := &buildContext{build: b, root: root}
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

// wantSame refuses what is not the file or folder that was decided on.
func wantSame(path string, decided, info os.FileInfo) error {
	if decided == nil || os.SameFile(decided, info) {
		return nil
	}
	return &contextError{path: path, err: errors.New("it was replaced after it was decided on")}
}

// prepare finds out what to send and what not.
func (c *buildContext) prepare() error {
	f, err := c.build.openDockerfile()
	if err != nil {
		return err
	}
	f.Close()
	name, err := filepath.Rel(c.build.Context, c.build.Dockerfile)
	c.outside = err != nil || !filepath.IsLocal(name)
	c.dockerfile = filepath.ToSlash(name)
	if c.outside {
		c.dockerfile = c.unusedName()
	}
	for _, path := range c.build.Without {
		if name, err := filepath.Rel(c.build.Context, path); err == nil {
			c.without = append(c.without, filepath.ToSlash(name))
		}
	}
	ignore, err := readIgnore(c.root, c.build.Dockerfile)
	if err != nil {
		return err
	}
	c.ignoreText = c.substitute(ignore)
	c.rules, err = ignore.rules(c.dockerfile, ignoreName)
	return err
}

// substitute returns the ignore file to send in place of the context's own, or
// nil to leave that one. The engine takes a Dockerfile and an ignore file out
// of the context again if the ignore file it finds there names them: so it has
// to find the one in force, and to see that a Dockerfile added is no part of
// the context.
func (c *buildContext) substitute(ignore ignoreFile) []byte {
	var added string
	if ignore.path == "" || ignore.own {
		added += "\n" + ignoreName
	}
	if c.outside {
		added += "\n" + c.dockerfile
	}
	if !c.outside && !ignore.own {
		return nil
	}
	return append(ignore.text[:len(ignore.text):len(ignore.text)], added+"\n"...)
}

// unusedName makes a name for the Dockerfile that nothing in the context has.
// It stays the same from build to build, so that it changes no cached step.
func (c *buildContext) unusedName() string {
	sum := sha256.Sum256([]byte(c.build.Dockerfile))
	name := ".dockerfile." + hex.EncodeToString(sum[:10])
	for {
		if _, err := c.root.Lstat(name); err != nil {
			return name
		}
		name += "x"
	}
}

// checkResolved makes sure that a path is what was decided on: absolute, and
// with no link on the way.
func checkResolved(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("build: %q is not an absolute path", path)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if resolved != filepath.Clean(path) {
		return fmt.Errorf("build: %s leads by a link to %s", path, resolved)
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

// openRegular opens a file that is no link, folder or device. It opens it in
// its folder, so that a link that takes its place meanwhile leads nowhere else.
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
		return nil, &contextError{path: path, err: err}
	}
	f, err := openFile(dir, name)
	if err != nil {
		return nil, &contextError{path: path, err: err}
	}
	return f, nil
}

// openFile opens what is a file. A pipe of its name, or in its place by now, must
// not make us wait for a writer.
func openFile(dir *os.Root, name string) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// contextStream is a context on its way to the engine.
type contextStream struct {
	*io.PipeReader
	done chan error
}

// stream sends the context to whoever reads the result, and closes c when that
// ends. Closing the result ends it too.
func (c *buildContext) stream(ctx context.Context) *contextStream {
	r, w := io.Pipe()
	s := &contextStream{PipeReader: r, done: make(chan error, 1)}
	go func() {
		err := c.writeTar(ctx, w)
		c.root.Close()
		s.done <- err
		w.CloseWithError(err)
	}()
	return s
}

// failure is what went wrong with the files, if that is why the stream broke.
func (s *contextStream) failure() error {
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
