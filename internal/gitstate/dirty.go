package gitstate

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Options define what counts as a change.
type Options struct {
	// Own are absolute paths that are ignored, with all below them.
	Own []string
	// Getenv looks up a variable of the user, to find the user's own ignore rules.
	Getenv func(string) string
}

// Dirty reports whether a directory of the working tree differs from the commit that
// is checked out: something is staged or changed, or a file is neither tracked nor
// ignored. What cannot be compared differs.
func (r Repository) Dirty(dir string, o Options) bool {
	below, err := filepath.Rel(r.Root, dir)
	commit, herr := hex.DecodeString(r.Head())
	if err != nil || herr != nil || len(commit) == 0 {
		return true
	}
	below = filepath.ToSlash(below)
	entries, err := readIndex(filepath.Join(r.dir, "index"), len(commit))
	if err != nil {
		return true
	}
	if below != "." {
		entries = slices.DeleteFunc(entries, func(e entry) bool { return !strings.HasPrefix(e.name, below+"/") })
	}
	c := comparison{r, o, r.settings(o.Getenv)}
	return c.staged(entries, commit, below) || slices.ContainsFunc(entries, c.changed) || c.untracked(entries, below)
}

// comparison compares a working tree with its commit.
type comparison struct {
	Repository
	Options
	settings settings
}

// staged reports whether the index differs from the commit.
func (c comparison) staged(entries []entry, commit []byte, below string) bool {
	tree, err := c.treeOf(commit, below)
	if err != nil {
		// A commit has no directories without tracked files.
		return len(entries) > 0 || below == "."
	}
	prefix := ""
	if below != "." {
		prefix = below + "/"
	}
	return !bytes.Equal(treeFor(entries, prefix, len(commit)), tree)
}

// treeFor returns the name of the tree of the entries, which all have the prefix. An
// index is in the order of trees.
func treeFor(entries []entry, prefix string, size int) []byte {
	var content []byte
	for len(entries) > 0 {
		e := entries[0]
		name, _, deeper := strings.Cut(e.name[len(prefix):], "/")
		n, mode, object := 1, e.mode, e.object
		if mode&modeKinds != modeTree && deeper {
			below := prefix + name + "/"
			if n = slices.IndexFunc(entries, func(e entry) bool { return !strings.HasPrefix(e.name, below) }); n < 0 {
				n = len(entries)
			}
			mode, object = modeTree, treeFor(entries[:n], below, size)
		}
		content = append(content, fmt.Sprintf("%o %s\x00", mode, name)...)
		content = append(content, object...)
		entries = entries[n:]
	}
	return nameOf(size, "tree", content)
}

// changed reports whether a file differs from the index.
func (c comparison) changed(e entry) bool {
	path := e.path(c.Root)
	switch {
	case e.stage != 0 || e.intended:
		return true
	case e.assumed || e.skipped || e.mode&modeKinds == modeTree || c.isOwn(path):
		return false
	}
	info, err := os.Lstat(path)
	if err != nil {
		return true
	}
	switch e.mode & modeKinds {
	case modeCommit:
		return c.otherCommit(path, info, e)
	case modeLink:
		target, err := os.Readlink(path)
		return err != nil || !bytes.Equal(nameOf(len(e.object), "blob", []byte(target)), e.object)
	case modeFile:
		return !info.Mode().IsRegular() || c.otherFile(path, info, e)
	}
	return true
}

// otherCommit reports whether a submodule has another commit, or changes. A missing
// submodule was not checked out.
func (c comparison) otherCommit(path string, info fs.FileInfo, e entry) bool {
	if !info.IsDir() {
		return true
	}
	sub, ok := Find(path)
	if !ok || sub.Root != path {
		return false
	}
	return sub.Head() != hex.EncodeToString(e.object) || sub.Dirty(path, c.Options)
}

// otherFile compares by size and time first, as git does.
func (c comparison) otherFile(path string, info fs.FileInfo, e entry) bool {
	if c.settings.fileMode && (info.Mode()&modeRunBits != 0) != (e.mode&modeRunBits != 0) {
		return true
	}
	same := uint32(info.Size()) == e.size
	if !same && e.size != 0 {
		return true
	}
	time := info.ModTime()
	if same && !e.changedAfter && uint32(time.Unix()) == e.seconds && (e.nanoseconds == 0 || uint32(time.Nanosecond()) == e.nanoseconds) {
		return false
	}
	f, err := safefile.OpenUnlinked(path, os.O_RDONLY)
	if err != nil {
		return true
	}
	defer f.Close()
	sum := newHash(len(e.object))
	fmt.Fprintf(sum, "blob %d\x00", info.Size())
	_, err = io.Copy(sum, f)
	return err != nil || !bytes.Equal(sum.Sum(nil), e.object)
}

func (c comparison) isOwn(path string) bool {
	return slices.ContainsFunc(c.Own, func(own string) bool {
		return path == own || strings.HasPrefix(path, own+string(filepath.Separator))
	})
}
