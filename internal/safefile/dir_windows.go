package safefile

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// Dir is an open directory. What is below it is found from it, without following links,
// so that nobody can exchange a directory on the way for a link.
type Dir struct{ root *os.Root }

// NewDir opens a directory by its path.
func NewDir(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Dir{root}, nil
}

// Open opens a directory below this one: a path with slashes, relative and clean. No
// element of it may be a link.
func (d *Dir) Open(name string) (*Dir, error) {
	at := d
	for element := range strings.SplitSeq(name, "/") {
		next, err := openIn(at.root, element)
		if at != d {
			_ = at.Close()
		}
		if err != nil {
			return nil, problem(path.Join(d.root.Name(), name), err)
		}
		at = &Dir{next}
	}
	return at, nil
}

// openIn opens a directory, and checks that it was not reached through a link.
func openIn(root *os.Root, name string) (*os.Root, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, ErrIrregular
	}
	opened, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if after, err := opened.Stat("."); err != nil || !os.SameFile(before, after) {
		_ = opened.Close()
		return nil, ErrReplaced
	}
	return opened, nil
}

// Names lists the entries, in no order.
func (d *Dir) Names() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// Lstat examines an entry, without following it if it is a link.
func (d *Dir) Lstat(name string) (Info, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return Info{}, err
	}
	i := Info{Type: fs.ModeIrregular, Size: info.Size(), Modified: info.ModTime().UnixNano()}
	switch {
	case info.Mode().IsRegular():
		i.Type = 0
	case info.Mode()&fs.ModeSymlink != 0:
		i.Type = fs.ModeSymlink
	case info.IsDir():
		i.Type = fs.ModeDir
	}
	return i, nil
}

// Close closes the directory.
func (d *Dir) Close() error { return d.root.Close() }
