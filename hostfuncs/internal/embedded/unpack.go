package embedded

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"
)

// whiteout begins the name of a file in a layer that says what is gone: the
// file of the rest of the name or, in a directory, all of older layers.
const (
	whiteout       = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// unpacker puts what is in a tar below a directory, which is the root of all to
// the archive.
type unpacker struct {
	to    *tree
	root  *node
	owner *owner // nil keeps each file's own
	layer bool   // whiteouts mean something
	time  int64  // of directories that the archive does not have
	until *int64 // no time is later
}

func (u *unpacker) visit(h *tar.Header, f *file) error {
	name := path.Clean("/" + h.Name)
	if name == "/" {
		return nil
	}
	dir, base := path.Split(name)
	parent, err := u.directory(dir)
	if err != nil {
		return err
	}
	if u.layer && strings.HasPrefix(base, whiteout) {
		u.takeAway(parent, base)
		return nil
	}
	if f.kind == tar.TypeLink {
		if f, err = u.target(f.link); err != nil {
			return err
		}
	} else {
		f = u.finish(f)
	}
	if there := parent.below[base]; there != nil && there.file == f {
		return nil
	}
	_, err = u.to.put(parent, base, f)
	return err
}

func (u *unpacker) finish(f *file) *file {
	if u.owner != nil {
		f.uid, f.gid = u.owner.uid, u.owner.gid
	}
	if u.until != nil {
		f.time = min(f.time, *u.until)
	}
	return f
}

// directory is a directory of the archive, made if need be.
func (u *unpacker) directory(name string) (*node, error) {
	resolved, n, err := u.to.resolveIn(u.root, name, true)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return u.to.mkdirAll(path.Join(u.root.path(), resolved), file{mode: 0o755, time: u.time})
	}
	if !n.isDir() {
		return nil, fmt.Errorf("%s is not a directory", n.path())
	}
	return n, nil
}

// target is the file that a hard link is a name of.
func (u *unpacker) target(name string) (*file, error) {
	_, n, err := u.to.resolveIn(u.root, path.Clean("/"+name), false)
	if err != nil {
		return nil, err
	}
	if n == nil || n.isDir() {
		return nil, fmt.Errorf("it is a hard link to %s, which is not a file", name)
	}
	return n.file, nil
}

// takeAway removes what a whiteout names. Files of the same layer stay.
func (u *unpacker) takeAway(dir *node, base string) {
	if base == whiteoutOpaque {
		u.onlyOwn(dir)
		return
	}
	base = strings.TrimPrefix(base, whiteout)
	if n := dir.below[base]; n != nil && n.changed != u.to.op {
		delete(dir.below, base)
	}
}

// onlyOwn removes the files of older layers from a directory.
func (u *unpacker) onlyOwn(dir *node) {
	for name, n := range dir.below {
		if n.changed != u.to.op {
			delete(dir.below, name)
			continue
		}
		u.onlyOwn(n)
	}
}
