package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// tree is what is known of the selected files. Only one goroutine uses it.
type tree struct {
	opts Options
	selection
	root  *safefile.Dir
	ctx   context.Context // ends a look
	top   *node
	nodes map[string][]*node // by their directories
	links map[place][]string // the ways of links in the project, with their targets
	files int

	events *events // nil if files are looked at from time to time
	pause  time.Duration

	changes map[string]*pending
	touched bool // a change was noted

	tools           []string // directories of tools that are watched
	warned, tooMany bool
}

// node is a directory that is watched, at one path.
type node struct {
	path, real string // in the patterns' terms, and with links resolved
	parent     *node
	linked     bool // a link leads to it, or to a directory above
	dropped    bool
	files      map[string]state
	nodes      map[string]*node
}

// place is an entry of a directory.
type place struct {
	in   *node
	name string
}

// The limits of one watch. A directory can have as many paths as links lead to it, and
// links that lead to each other would have no end.
const (
	maxFiles = 500_000
	maxLinks = 1000
	maxPaths = 8 // of one directory, through links
)

func newTree(root *safefile.Dir, opts Options) *tree {
	t := &tree{
		opts: opts, selection: selection{opts.Paths, opts.Ignore}, root: root, pause: pauseAtLeast,
		nodes: make(map[string][]*node), links: make(map[place][]string), changes: make(map[string]*pending),
	}
	t.top = &node{path: ".", real: ".", files: make(map[string]state), nodes: make(map[string]*node)}
	return t
}

// begin looks at all files for the first time.
func (t *tree) begin(ctx context.Context) {
	t.ctx = ctx
	t.listen()
	t.enter(t.top)
	t.lookAgain()
	clear(t.changes)
	t.touched = false
}

func (t *tree) close() {
	if t.events != nil {
		t.events.close()
	}
	_ = t.root.Close()
}

// enter adds a directory to the tree.
func (t *tree) enter(n *node) {
	t.nodes[n.real] = append(t.nodes[n.real], n)
	t.watch(n.real)
	if n.linked {
		t.watchAbove(n.real)
	}
}

// drop removes a directory from the tree. Its files count as removed.
func (t *tree) drop(n *node) {
	for name := range maps.Clone(n.files) {
		t.setFile(place{n, name}, state{}, false, last(t.links[place{n, name}]))
	}
	for _, below := range maps.Clone(n.nodes) {
		t.drop(below)
	}
	for at := range t.links {
		if at.in == n {
			t.setLink(at, nil)
		}
	}
	n.dropped = true
	delete(n.parent.nodes, path.Base(n.path))
	t.nodes[n.real] = slices.DeleteFunc(t.nodes[n.real], func(other *node) bool { return other == n })
	if len(t.nodes[n.real]) == 0 {
		delete(t.nodes, n.real)
	}
	t.unwatch(n.real)
	if n.linked {
		t.unwatchAbove(n.real)
	}
}

// lookAgain looks at all files.
func (t *tree) lookAgain() {
	begun := time.Now()
	t.scan(t.top)
	t.pause = max(pauseAtLeast, pauseFactor*time.Since(begun))
}

// scan looks at all of a directory, and of those in it.
func (t *tree) scan(n *node) {
	if t.ctx.Err() != nil || n.dropped {
		return
	}
	t.watchAgain(n.real)
	dir, names, err := t.list(n.real)
	if err != nil {
		return
	}
	if dir != nil {
		defer dir.Close()
	}
	known := slices.Concat(slices.Collect(maps.Keys(n.files)), slices.Collect(maps.Keys(n.nodes)))
	for _, name := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(names, known)))) {
		_, entered := n.nodes[name]
		t.look(dir, place{n, name}, false)
		if below := n.nodes[name]; below != nil && entered {
			t.scan(below)
		}
	}
}

// open opens a directory. It returns nil if it is missing, or cannot be used by the user.
// An error means that it cannot be opened now.
func (t *tree) open(real string) (*safefile.Dir, error) {
	dir, err := t.root.Open(real)
	for _, now := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, now) {
			return nil, err
		}
	}
	if err != nil {
		return nil, nil
	}
	return dir, nil
}

func (t *tree) list(real string) (*safefile.Dir, []string, error) {
	dir, err := t.open(real)
	if dir == nil {
		return nil, nil, err
	}
	// One that cannot be listed is empty.
	names, _ := dir.Names()
	return dir, names, nil
}

// look looks at one entry. dir is its directory, nil if that is missing.
func (t *tree) look(dir *safefile.Dir, at place, written bool) {
	name := path.Join(at.in.path, at.name)
	file, directory := t.file(name), t.directory(name)
	if !file && !directory {
		return
	}
	var s state
	if dir != nil {
		// An entry that cannot be examined is a missing one.
		s.own, _ = dir.Lstat(at.name)
	}
	real, is := path.Join(at.in.real, at.name), s.own
	var way []string
	if is.Type == fs.ModeSymlink {
		if way = t.resolve(real); way != nil {
			real = last(way)
			s.target = t.examine(real)
			is = s.target
		}
	}
	was := t.links[at]
	t.setLink(at, way)
	if is.Type == fs.ModeDir && directory {
		t.setFile(at, state{}, false, last(was))
		t.setNode(at, real, way != nil)
		return
	}
	t.setNode(at, "", false)
	if !file || is.Type == fs.ModeDir || is.Type == fs.ModeIrregular {
		s = state{}
	}
	t.setFile(at, s, written, last(was), last(way))
}

// examine looks at what a link leads to.
func (t *tree) examine(real string) safefile.Info {
	dir, _ := t.open(path.Dir(real))
	if dir == nil {
		return safefile.Info{}
	}
	defer dir.Close()
	info, _ := dir.Lstat(path.Base(real))
	return info
}

// setFile notes the state of a file, the zero value if it is missing. If it is a link,
// targets are where it led and leads to.
func (t *tree) setFile(at place, is state, written bool, targets ...string) {
	was, known := at.in.files[at.name]
	exists := is != state{}
	switch {
	case exists && !known && t.files >= maxFiles:
		t.warnOfMany()
		return
	case exists:
		at.in.files[at.name] = is
	case known:
		delete(at.in.files, at.name)
	default:
		return
	}
	if exists && !known {
		t.files++
	} else if !exists {
		t.files--
	}
	if was != is || written {
		t.note(path.Join(at.in.path, at.name), was, is, written, append(slices.Clone(targets), path.Join(at.in.real, at.name))...)
	}
}

// setNode enters the directory at a place, or leaves the one that was there. real is
// empty if there is none.
func (t *tree) setNode(at place, real string, link bool) {
	n := at.in.nodes[at.name]
	if n != nil && n.real == real {
		return
	}
	if n != nil {
		t.drop(n)
	}
	if real == "" {
		return
	}
	n = &node{
		path: path.Join(at.in.path, at.name), real: real, parent: at.in, linked: link || at.in.linked,
		files: make(map[string]state), nodes: make(map[string]*node),
	}
	if n.linked && (len(t.nodes[real]) >= maxPaths || leadsBack(n)) {
		return
	}
	if slices.Contains(ofTools, at.name) && t.whole(n.path) {
		t.tools = append(t.tools, n.path)
	}
	at.in.nodes[at.name] = n
	t.enter(n)
	t.scan(n)
}

// leadsBack reports whether a directory is one of those above it, or above one of them.
func leadsBack(n *node) bool {
	for above := n.parent; above != nil; above = above.parent {
		if within(n.real, above.real) {
			return true
		}
	}
	return false
}

// within reports whether a path is that of a directory or of something in it.
func within(dir, name string) bool {
	return dir == "." || dir == name || strings.HasPrefix(name, dir+"/")
}

// warnOfTools warns once of directories that change without anybody's doing.
func (t *tree) warnOfTools() {
	if len(t.tools) == 0 || t.warned {
		return
	}
	t.warned = true
	slices.Sort(t.tools)
	var ignore []string
	for _, dir := range t.tools {
		if pattern := `"**/` + path.Base(dir) + `"`; !slices.Contains(ignore, pattern) {
			ignore = append(ignore, pattern)
		}
	}
	shown := strings.Join(t.tools[:min(len(t.tools), 3)], ", ")
	t.opts.Warn(fmt.Errorf("watching %s is a bad idea: tools write many files there, and each change counts; ignore it with %s", shown, strings.Join(ignore, ", ")))
}

func (t *tree) warnOfMany() {
	if !t.tooMany {
		t.tooMany = true
		t.opts.Warn(errors.New("more than 500,000 files are watched: changes of the rest are not noticed; watch fewer directories"))
	}
}
