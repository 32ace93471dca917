package embedded

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
)

// owner is the owner of files in an image.
type owner struct{ uid, gid int }

// copier copies from one tree to another with the steps of BuildKit's file
// operations, see the package tonistiigi/fsutil/copy.
type copier struct {
	from, to *tree
	owner    *owner // nil keeps the files' owners
	mode     *int64 // nil keeps the files' modes
	exclude  *patternmatcher.PatternMatcher
	time     int64 // of new directories
	// contents copies the content of a directory instead of the directory.
	contents bool

	links map[*file]*file // copies by original, for hard links
}

// pending is a directory to copy. An excluded one is made only if something in it
// is copied.
type pending struct {
	from  *node
	above *pending
	made  *node
}

// copy copies a path to a destination, which is a directory if it ends in a slash.
func (c *copier) copy(source, destination string) error {
	if err := c.ensure(destination); err != nil {
		return err
	}
	to, _, err := c.to.resolve(path.Clean(destination), true)
	if err != nil {
		return err
	}
	_, from, err := c.from.resolve(source, true)
	if err != nil {
		return err
	}
	if from == nil {
		return &notFoundError{source}
	}
	_, there, err := c.to.resolve(to, false)
	if err != nil {
		return err
	}
	if there != nil && there.isDir() && (!from.isDir() || !c.contents) {
		to = path.Join(to, path.Base(source))
	}
	above := path.Dir(to)
	if c.contents && from.isDir() && there == nil {
		above = to
	}
	dir, err := c.mkdir(above)
	if err != nil {
		return err
	}
	c.links = map[*file]*file{}
	if !from.isDir() {
		return c.one(from, dir, path.Base(to))
	}
	if there != nil && !there.isDir() {
		return fmt.Errorf("%s is not a directory", to)
	}
	// An existing destination keeps its mode and owner.
	_, there, err = c.to.resolve(to, false)
	if err != nil {
		return err
	}
	return c.inside("", &pending{from: from, made: there}, patternmatcher.MatchInfo{})
}

// ensure makes the destination's directory, or the destination if it is one.
func (c *copier) ensure(destination string) error {
	dir, name := path.Split(destination)
	if name == "" || name == "." {
		dir = destination
	}
	to, _, err := c.to.resolve(dir, true)
	if err == nil {
		_, err = c.mkdir(to)
	}
	return err
}

func (c *copier) mkdir(name string) (*node, error) {
	f := file{mode: 0o755, time: c.time}
	if c.mode != nil {
		f.mode = *c.mode & 0o777
	}
	if c.owner != nil {
		f.uid, f.gid = c.owner.uid, c.owner.gid
	}
	return c.to.mkdirAll(name, f)
}

// inside copies the content of a directory; below is its path for patterns, relative
// to the source.
func (c *copier) inside(below string, directory *pending, excluded patternmatcher.MatchInfo) error {
	for _, name := range directory.from.names() {
		if err := c.entry(directory, directory.from.below[name], path.Join(below, name), excluded); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) entry(directory *pending, from *node, below string, parent patternmatcher.MatchInfo) error {
	skip, info, err := c.excluded(below, parent)
	if err != nil {
		return err
	}
	if from.isDir() {
		if skip && !c.exclude.Exclusions() {
			return nil
		}
		next := &pending{from: from, above: directory}
		if !skip {
			if _, err := c.make(next); err != nil {
				return err
			}
		}
		return c.inside(below, next, info)
	}
	if skip {
		return nil
	}
	dir, err := c.make(directory)
	if err != nil {
		return err
	}
	return c.one(from, dir, from.name)
}

func (c *copier) excluded(below string, parent patternmatcher.MatchInfo) (bool, patternmatcher.MatchInfo, error) {
	if c.exclude == nil {
		return false, parent, nil
	}
	return c.exclude.MatchesUsingParentResults(below, parent)
}

// make makes a directory below the source's. An existing one gets the mode and owner
// of the copied one.
func (c *copier) make(p *pending) (*node, error) {
	if p.made != nil {
		return p.made, nil
	}
	dir, err := c.make(p.above)
	if err != nil {
		return nil, err
	}
	there := dir.below[p.from.name]
	switch {
	case there == nil:
		there, err = c.to.put(dir, p.from.name, c.made(p.from.file))
	case !there.isDir():
		err = fmt.Errorf("%s exists and is not a directory", there.path())
	default:
		there.file = c.made(p.from.file)
		c.to.touch(there)
	}
	p.made = there
	return there, err
}

// one copies a file that is not a directory.
func (c *copier) one(from *node, dir *node, name string) error {
	if there := dir.below[name]; there != nil && there.isDir() {
		return fmt.Errorf("%s is a directory and cannot be replaced by a file", there.path())
	}
	made, ok := c.links[from.file]
	if !ok {
		made = c.made(from.file)
		c.links[from.file] = made
	}
	_, err := c.to.put(dir, name, made)
	return err
}

// made returns the copy of a file.
func (c *copier) made(from *file) *file {
	made := *from
	if c.owner != nil {
		made.uid, made.gid = c.owner.uid, c.owner.gid
	}
	if c.mode != nil && made.kind != tar.TypeSymlink {
		made.mode = *c.mode
	}
	return &made
}

// notFoundError means that there is nothing to copy.
type notFoundError struct{ name string }

func (e *notFoundError) Error() string {
	return strings.TrimPrefix(e.name, "/") + ": no such file, or .dockerignore names it"
}
