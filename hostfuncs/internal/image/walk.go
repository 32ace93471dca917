package image

import (
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
)

// Visit gets a path of a context, with slashes, and its file.
type Visit func(name string, info fs.FileInfo) error

// Walk visits the files of the context that are not ignored, directories before their
// content, in order of names. Pipes, sockets, devices and unreadable files are left
// out, see [Context.Leave]. It keeps only the names of one directory per level in
// memory. If a visit to a directory returns [fs.SkipDir], its content is left out.
//
// # Errors
//
// Those of visit and ctx, and unreadable files, with their names.
func (c *Context) Walk(ctx context.Context, visit Visit) error {
	return c.walk(ctx, c.rules, visit)
}

// WalkAt is [Context.Walk] for one path and all below it. A missing path is ignored.
func (c *Context) WalkAt(ctx context.Context, name string, visit Visit) error {
	if name == "." {
		return c.Walk(ctx, visit)
	}
	info, err := c.root.Lstat(name)
	if err != nil {
		return nil
	}
	w := &walker{ctx: ctx, context: c, rules: c.rules, visit: visit}
	var parent patternmatcher.MatchInfo
	for i, letter := range name {
		if letter != '/' {
			continue
		}
		ignored, above, err := c.rules.ignored(name[:i], parent)
		if err != nil || ignored && !c.rules.mayKeep(name[:i]) || slices.Contains(c.without, name[:i]) {
			return err
		}
		parent = above
	}
	return w.entry(place{root: c.root}, name, info.IsDir(), parent)
}

func (c *Context) walk(ctx context.Context, rules *ignoreRules, visit Visit) error {
	w := &walker{ctx: ctx, context: c, rules: rules, visit: visit}
	in, entries, leave, err := place{root: c.root}.open(".")
	if err != nil {
		return c.problem(".", err)
	}
	defer leave()
	return w.entries(in, ".", entries, patternmatcher.MatchInfo{})
}

// place is an open directory of the context. It saves opening all parent directories
// for each file.
type place struct {
	root *os.Root
	dir  string // with a slash at its end; empty for the context
	deep int
}

// maxOpen is the most directories that are open at a time. Deeper files are opened from
// the deepest of them.
const maxOpen = 32

func (p place) local(name string) string { return strings.TrimPrefix(name, p.dir) }

// enter opens a directory. leave must be called.
func (p place) enter(name string) (in place, leave func(), err error) {
	if name == "." || p.deep == maxOpen {
		return p, func() {}, nil
	}
	root, err := p.root.OpenRoot(p.local(name))
	if err != nil {
		return place{}, nil, err
	}
	return place{root: root, dir: name + "/", deep: p.deep + 1}, func() { root.Close() }, nil
}

// list returns a directory's entries, in order of names.
func (p place) list(name string) ([]fs.DirEntry, error) {
	local := "."
	if name+"/" != p.dir {
		local = p.local(name)
	}
	return fs.ReadDir(p.root.FS(), local)
}

type walker struct {
	ctx     context.Context
	context *Context
	rules   *ignoreRules
	visit   Visit
	// directories are the ignored parents of the current file. They are visited before
	// the first file in them that is not ignored, to keep their modes.
	directories []string
	// skipped is a directory, with a slash, that a visit skipped after the walk had
	// entered it.
	skipped string
}

// open opens a directory and lists it. leave must be called.
func (p place) open(name string) (in place, entries []fs.DirEntry, leave func(), err error) {
	in, leave, err = p.enter(name)
	if err != nil {
		return in, nil, nil, err
	}
	if entries, err = in.list(name); err != nil {
		leave()
	}
	return in, entries, leave, err
}

func (w *walker) entries(at place, dir string, entries []fs.DirEntry, parent patternmatcher.MatchInfo) error {
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(at, path.Join(dir, e.Name()), e.IsDir(), parent); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(at place, name string, isDir bool, parent patternmatcher.MatchInfo) error {
	if slices.Contains(w.context.without, name) || w.isSkipped(name) {
		return nil
	}
	ignored, info, err := w.rules.ignored(name, parent)
	switch {
	case err != nil:
		return w.context.problem(name, err)
	case isDir && (!ignored || w.rules.mayKeep(name)):
		return w.directory(at, name, ignored, info)
	case ignored:
		return nil
	}
	if err := w.show(at, name, false); err != fs.SkipDir || !w.isSkipped(name) {
		return err
	}
	return nil
}

// directory visits a directory, unless it is ignored, and its content.
func (w *walker) directory(at place, name string, ignored bool, info patternmatcher.MatchInfo) error {
	in, entries, leave, err := at.open(name)
	if err != nil {
		return w.context.Leave(name, true, unreadable(err))
	}
	defer leave()
	if !ignored {
		if err := w.show(at, name, true); err == fs.SkipDir {
			return nil
		} else if err != nil {
			return err
		}
		return w.entries(in, name, entries, info)
	}
	w.directories = append(w.directories, name)
	if err := w.entries(in, name, entries, info); err != nil {
		return err
	}
	if n := len(w.directories); n > 0 {
		w.directories = w.directories[:n-1]
	}
	return nil
}

func (w *walker) isSkipped(name string) bool {
	return w.skipped != "" && strings.HasPrefix(name, w.skipped)
}

// show visits a path after its ignored parents. It stops if one of them is skipped.
func (w *walker) show(at place, name string, isDir bool) error {
	directories := w.directories
	w.directories = nil
	for _, dir := range directories {
		if err := w.one(place{root: w.context.root}, dir, true); err != nil {
			if err == fs.SkipDir {
				w.skipped = dir + "/"
			}
			return err
		}
	}
	return w.one(at, name, isDir)
}

// one visits a path, or leaves it out if it cannot be sent.
func (w *walker) one(at place, name string, isDir bool) error {
	info, err := at.root.Lstat(at.local(name))
	if err == nil {
		err = unsendable(name, info)
	}
	if err == nil {
		err = at.checkReadable(name, info)
	}
	if err != nil {
		err = w.context.Leave(name, isDir, unreadable(err))
		if err == nil && isDir {
			err = fs.SkipDir
		}
		return err
	}
	if err := w.visit(name, info); err == fs.SkipDir {
		return err
	} else if err != nil {
		return w.context.problem(name, err)
	}
	return nil
}
