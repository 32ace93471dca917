package embedded

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Bounds of a file system. Those of paths are the kernel's.
const (
	pathLimit = 4096
	nameLimit = 255
	linkLimit = 255
	nodeLimit = 2_000_000 // in all trees of a build
)

var (
	errTooManyFiles = fmt.Errorf("there are more than %d files", nodeLimit)
	errTooManyLinks = errors.New("too many levels of links")
)

// tree is a file system in memory, without the contents of files. Links cannot leave
// it.
type tree struct {
	root *node
	// op is the number of the step that changes it. Nodes with this number belong to
	// the step's layer.
	op    int
	count *int // nodes of all trees
}

// node is a name in a directory.
type node struct {
	name   string
	file   *file
	parent *node // nil for the root
	below  map[string]*node

	changed int // the last step that changed it
	inside  int // the last step that changed something below it
	hidden  int // the step that replaced a directory of this name
	opaque  int // the step that hid the files of older layers in it
}

// file is what a name refers to. It does not change once it is in a tree, but is
// replaced. Names with the same file are hard links.
type file struct {
	kind         byte  // as in a tar
	mode         int64 // permissions, setuid, setgid and sticky, as in a tar
	uid, gid     int
	time         int64 // seconds since 1970
	size         int64
	content      content
	link         string
	major, minor int64
	xattrs       map[string]string // the PAX records of a tar
}

func newTree(count *int) *tree {
	return &tree{root: &node{file: &file{kind: tar.TypeDir, mode: 0o755}}, count: count}
}

func (n *node) isDir() bool { return n.file.kind == tar.TypeDir }

// path returns the absolute path of a node.
func (n *node) path() string {
	if n.parent == nil {
		return "/"
	}
	return path.Join(n.parent.path(), n.name)
}

// names returns the names in a directory, in order.
func (n *node) names() []string { return slices.Sorted(maps.Keys(n.below)) }

// clone returns an independent copy.
func (t *tree) clone() (*tree, error) {
	c := &tree{op: t.op, count: t.count}
	root, err := c.cloneNode(t.root, nil)
	c.root = root
	return c, err
}

func (t *tree) cloneNode(n, parent *node) (*node, error) {
	if *t.count++; *t.count > nodeLimit {
		return nil, errTooManyFiles
	}
	c := *n
	c.parent = parent
	if n.below != nil {
		c.below = make(map[string]*node, len(n.below))
	}
	for name, child := range n.below {
		cloned, err := t.cloneNode(child, &c)
		if err != nil {
			return nil, err
		}
		c.below[name] = cloned
	}
	return &c, nil
}

// put sets the file of a name in a directory and replaces an existing one. A directory
// that replaces a directory keeps its content.
func (t *tree) put(dir *node, name string, f *file) (*node, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if !dir.isDir() {
		return nil, fmt.Errorf("%s is not a directory", dir.path())
	}
	n := dir.below[name]
	switch {
	case n == nil:
		if *t.count++; *t.count > nodeLimit {
			return nil, errTooManyFiles
		}
		n = &node{name: name, parent: dir}
		if dir.below == nil {
			dir.below = map[string]*node{}
		}
		dir.below[name] = n
	case n.isDir() && f.kind != tar.TypeDir:
		n.below, n.hidden = nil, t.op
	case n.hidden == t.op && f.kind == tar.TypeDir:
		n.opaque = t.op
	}
	n.file = f
	t.touch(n)
	return n, nil
}

func (t *tree) touch(n *node) {
	n.changed = t.op
	for up := n.parent; up != nil && up.inside != t.op; up = up.parent {
		up.inside = t.op
	}
}

// checkName refuses invalid names, and those with a meaning in a layer.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("%q is not a file name", name)
	case len(name) > nameLimit:
		return fmt.Errorf("the file name %.40q... is longer than %d bytes", name, nameLimit)
	case strings.HasPrefix(name, whiteout):
		return fmt.Errorf("the file name %q removes another file in an image; rename it, or name it in .dockerignore", name)
	}
	return nil
}

// resolve follows the links of a path within the tree, with follow also that of the
// last name. The returned path has no links. The node is nil if nothing exists there.
func (t *tree) resolve(name string, follow bool) (string, *node, error) {
	return t.resolveIn(t.root, name, follow)
}

// resolveIn is resolve with another root.
func (t *tree) resolveIn(root *node, name string, follow bool) (string, *node, error) {
	if len(name) > pathLimit {
		return "", nil, fmt.Errorf("the path %.40q... is longer than %d bytes", name, pathLimit)
	}
	w := walk{root: root, nodes: []*node{root}}
	rest := strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		var link string
		link, rest = w.step(rest, follow)
		if link == "" {
			continue
		}
		if links++; links > linkLimit || len(link) > pathLimit {
			return "", nil, fmt.Errorf("%s: %w", name, errTooManyLinks)
		}
		if strings.HasPrefix(link, "/") {
			w.names, w.nodes = nil, w.nodes[:1]
		}
		rest = append(strings.Split(link, "/"), rest...)
	}
	return "/" + strings.Join(w.names, "/"), w.nodes[len(w.nodes)-1], nil
}

// walk is a path that is being resolved: the names from the root on, and their nodes,
// nil for missing ones.
type walk struct {
	root  *node
	names []string
	nodes []*node
}

// step takes the first of the names that are left. It returns the target of a link to
// follow instead of entering it.
func (w *walk) step(rest []string, follow bool) (link string, left []string) {
	name, left := rest[0], rest[1:]
	switch name {
	case "", ".":
		return "", left
	case "..":
		if len(w.names) > 0 {
			w.names, w.nodes = w.names[:len(w.names)-1], w.nodes[:len(w.nodes)-1]
		}
		return "", left
	}
	var child *node
	if here := w.nodes[len(w.nodes)-1]; here != nil {
		child = here.below[name]
	}
	if child != nil && child.file.kind == tar.TypeSymlink && (follow || moreThan(left)) {
		return child.file.link, left
	}
	w.names, w.nodes = append(w.names, name), append(w.nodes, child)
	return "", left
}

// moreThan reports whether another name follows.
func moreThan(left []string) bool {
	return slices.ContainsFunc(left, func(name string) bool { return name != "" && name != "." })
}

// mkdirAll makes a directory and its missing parents, each like f. The path is
// resolved.
func (t *tree) mkdirAll(name string, f file) (*node, error) {
	f.kind = tar.TypeDir
	n := t.root
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		if part == "" {
			continue
		}
		if child := n.below[part]; child != nil {
			n = child
			continue
		}
		directory := f
		var err error
		if n, err = t.put(n, part, &directory); err != nil {
			return nil, err
		}
	}
	if !n.isDir() {
		return nil, fmt.Errorf("%s is not a directory", n.path())
	}
	return n, nil
}
