package embedded

import (
	"archive/tar"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/util/system"
	"github.com/moby/patternmatcher"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// copied is the common part of COPY and ADD.
type copied struct {
	name         string // of the instruction
	paths        instructions.SourcesAndDest
	from         *tree
	chown, chmod string
	link         bool
	exclude      []string
	unpack       bool
}

func (s *stage) copy(planned dockerfile.Command, c *instructions.CopyCommand) error {
	from, err := s.builder.sourceTree(planned.Sources)
	if err != nil {
		return err
	}
	return s.transfer(copied{
		name: "COPY", paths: c.SourcesAndDest, from: from,
		chown: c.Chown, chmod: c.Chmod, link: c.Link, exclude: c.ExcludePatterns,
	})
}

func (s *stage) add(c *instructions.AddCommand) error {
	from, err := s.builder.sourceTree(nil)
	if err != nil {
		return err
	}
	return s.transfer(copied{
		name: "ADD", paths: c.SourcesAndDest, from: from,
		chown: c.Chown, chmod: c.Chmod, link: c.Link, exclude: c.ExcludePatterns, unpack: c.Unpack == nil || *c.Unpack,
	})
}

// sourceTree returns the files that a step copies from: those of the context without
// a source.
func (b *builder) sourceTree(sources []dockerfile.Source) (*tree, error) {
	if len(sources) == 0 {
		if b.contextTree == nil {
			t, err := contextTree(b.ctx, b.source, &b.count, b.time.Unix())
			if e, ok := errors.AsType[*image.Error](err); ok {
				return nil, b.plan.Errorf(e.Line, "%s", e.Message)
			}
			if err != nil {
				return nil, err
			}
			b.contextTree = t
		}
		return b.contextTree, nil
	}
	switch source := sources[0]; {
	case source.From != nil:
		return b.stages[source.From].tree()
	case source.Image != "":
		base, err := b.base(source.Image, "")
		if err != nil {
			return nil, err
		}
		return base.tree(b)
	}
	return newTree(&b.count), nil
}

func (s *stage) transfer(what copied) error {
	t, err := s.change()
	if err != nil {
		return err
	}
	destination, err := s.destination(what.paths.DestPath)
	if err != nil {
		return err
	}
	c := &copier{from: what.from, to: t, time: s.builder.time.Unix(), contents: true}
	if c.owner, err = what.owner(t); err != nil {
		return err
	}
	if c.mode, err = what.mode(); err != nil {
		return err
	}
	if len(what.exclude) > 0 {
		if c.exclude, err = patternmatcher.New(what.exclude); err != nil {
			return err
		}
	}
	for _, source := range what.paths.SourcePaths {
		if err := s.source(c, what, source, destination); err != nil {
			return err
		}
	}
	for _, inline := range what.paths.SourceContents {
		if err := s.inline(*c, inline, destination); err != nil {
			return err
		}
	}
	return s.commit(what.step(), t)
}

// destination returns a path in the image. A slash, or a slash and a dot, at its end
// means a directory.
func (s *stage) destination(name string) (string, error) {
	dir := s.config.Config.WorkingDir
	if dir == "" || path.IsAbs(name) {
		dir = "/"
	}
	if name == "." || name == "" {
		name = "./"
	}
	return system.NormalizePath(dir, name, "linux", true)
}

// source copies the files of one source. A pattern may match none.
func (s *stage) source(c *copier, what copied, source, destination string) error {
	found, err := c.from.matches(source)
	if err != nil {
		return err
	}
	for _, name := range found {
		if what.unpack {
			done, err := s.unpack(c, name, destination)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if done {
				continue
			}
		}
		if err := c.copy(name, destination); err != nil {
			return err
		}
	}
	return nil
}

// unpack unpacks a source into the destination. It returns false if the source is not
// an archive.
func (s *stage) unpack(c *copier, name, destination string) (bool, error) {
	_, from, err := c.from.resolve(name, true)
	if err != nil || from == nil {
		return false, err
	}
	if is, err := isArchive(from.file); err != nil || !is {
		return false, err
	}
	to, _, err := c.to.resolve(destination, true)
	if err != nil {
		return false, err
	}
	directory := file{mode: 0o755, time: c.time}
	if c.owner != nil {
		directory.uid, directory.gid = c.owner.uid, c.owner.gid
	}
	root, err := c.to.mkdirAll(to, directory)
	if err != nil {
		return false, err
	}
	return true, s.builder.store.unpack(from.file, &unpacker{
		to: c.to, root: root, owner: c.owner, time: c.time, until: s.builder.until,
	})
}

// inline copies a file in the Dockerfile itself.
func (s *stage) inline(c copier, inline instructions.SourceContent, destination string) error {
	name := path.Clean("/" + inline.Path)
	if path.Dir(name) != "/" {
		return fmt.Errorf("<<%s has a name with directories", inline.Path)
	}
	c.from, c.contents = newTree(&s.builder.count), false
	_, err := c.from.put(c.from.root, path.Base(name), &file{
		kind: tar.TypeReg, mode: 0o644, time: c.time, size: int64(len(inline.Data)), content: text(inline.Data),
	})
	if err != nil {
		return err
	}
	return c.copy(name, destination)
}

func (w copied) owner(t *tree) (*owner, error) {
	if w.chown == "" {
		return nil, nil
	}
	if err := dockerfile.CheckOwner(w.chown, w.link); err != nil {
		return nil, err
	}
	return t.owner(w.chown)
}

func (w copied) mode() (*int64, error) {
	if w.chmod == "" {
		return nil, nil
	}
	if err := dockerfile.CheckMode(w.chmod); err != nil {
		return nil, err
	}
	mode, err := strconv.ParseInt(w.chmod, 8, 32)
	if err != nil {
		return nil, fmt.Errorf("--chmod=%s needs an engine: %s", w.chmod, wayOut)
	}
	return &mode, nil
}

// step returns the step's text in the image's history.
func (w copied) step() string {
	words := []string{w.name}
	if w.chown != "" {
		words = append(words, "--chown="+w.chown)
	}
	if w.chmod != "" {
		words = append(words, "--chmod="+w.chmod)
	}
	words = append(words, w.paths.SourcePaths...)
	for _, inline := range w.paths.SourceContents {
		words = append(words, "<<"+inline.Path)
	}
	return strings.Join(append(words, w.paths.DestPath), " ")
}
