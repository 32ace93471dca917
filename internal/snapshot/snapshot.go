// Package snapshot finds the files that changed between two moments.
package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Places are what is compared.
type Places struct {
	// Files are paths of single files. Their contents are compared. They need not
	// exist.
	Files []string
	// Trees are directories with all below them. A link at such a path is followed;
	// links below it are followed only to files.
	Trees []string
	// Except are paths, without links, that are skipped with all below them.
	Except []string
}

// Snapshot records the files at some places at one moment.
type Snapshot struct {
	places Places
	files  map[string]file
}

// file records one path.
type file struct {
	kind   fs.FileMode // the bits of its type
	target string      // of a link
	stamp  stamp       // of the file that the path leads to
	sha256 string      // of the contents in hex, empty if they were not read
}

// stamp identifies a file and its version. Programs can set the modification time,
// but not the change time.
type stamp struct {
	device, inode     uint64
	size              int64
	modified, changed int64 // nanoseconds since 1970
}

// The kinds of changes.
const (
	Created = "created"
	Removed = "removed"
	Changed = "changed"
)

// Change is a file that changed.
type Change struct {
	Path string
	How  string
}

// Compare lists the differences of two snapshots of the same places, sorted by path.
func Compare(before, after Snapshot) []Change {
	paths := make(map[string]file)
	maps.Copy(paths, before.files)
	maps.Copy(paths, after.files)
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		was, before := before.files[path]
		is, after := after.files[path]
		switch {
		case !before:
			changes = append(changes, Change{path, Created})
		case !after:
			changes = append(changes, Change{path, Removed})
		case !same(was, is):
			changes = append(changes, Change{path, Changed})
		}
	}
	return changes
}

// same compares contents if both were read, so that a file rewritten with the same
// contents is the same. Directories are compared by the files in them.
func same(a, b file) bool {
	switch {
	case a.kind != b.kind || a.target != b.target:
		return false
	case a.kind.IsDir():
		return true
	case a.sha256 != "" && b.sha256 != "":
		return a.sha256 == b.sha256
	}
	return a.stamp == b.stamp
}

// Renew records one path anew, after an expected change.
func (s Snapshot) Renew(path string) {
	delete(s.files, path)
	s.take(path, true)
}

// Again takes another snapshot of the same places.
func (s Snapshot) Again() Snapshot { return take(s.places, s.files) }

// Take takes a snapshot of places. An unreadable file counts as empty.
func Take(places Places) Snapshot { return take(places, nil) }

func take(places Places, before map[string]file) Snapshot {
	s := Snapshot{places, make(map[string]file)}
	for _, path := range places.Files {
		s.take(path, true)
	}
	for _, tree := range places.Trees {
		s.walk(tree, before)
	}
	return s
}

// maxEntries is the most files of a tree that are compared.
const maxEntries = 10_000

// walk records a tree. It reads the contents of files, which may be large, only if their
// stamps could deceive or if they were read before.
func (s Snapshot) walk(tree string, before map[string]file) {
	s.take(tree, false)
	real, err := filepath.EvalSymlinks(tree)
	if err != nil {
		return
	}
	entries := 0
	// A directory that cannot be listed stays the same until it can.
	_ = filepath.WalkDir(real, func(path string, entry fs.DirEntry, err error) error {
		switch entries++; {
		case entries > maxEntries:
			return filepath.SkipAll
		case slices.Contains(s.places.Except, path) && entry.IsDir():
			return filepath.SkipDir
		case slices.Contains(s.places.Except, path):
			return nil
		case err != nil || path == real:
			return nil
		}
		rel, err := filepath.Rel(real, path)
		if err != nil {
			return err
		}
		shown := filepath.Join(tree, rel)
		s.take(shown, before[shown].sha256 != "")
		return nil
	})
}

// take records a path, with its contents if read is set or if its stamp may stay the
// same in a change.
func (s Snapshot) take(path string, read bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	f := file{kind: info.Mode().Type()}
	if f.kind&fs.ModeSymlink != 0 {
		// An unreadable link has no target.
		f.target, _ = os.Readlink(path)
		if info, err = os.Stat(path); err != nil {
			s.files[path] = f
			return
		}
	}
	f.stamp = stampOf(info)
	if info.Mode().IsRegular() && (read || f.stamp.deceptive(time.Now())) {
		f.sha256 = digest(path)
	}
	s.files[path] = f
}

// coarse is the coarsest resolution of a file system's times.
const coarse = 2 * time.Second

// deceptive reports whether a change could keep the file's stamp: shortly after another
// change, and on systems without a change time.
func (s stamp) deceptive(now time.Time) bool {
	return s.changed == 0 || s.changed > now.Add(-coarse).UnixNano()
}

// maxRead is the most bytes read of a file: the largest module, and a byte.
const maxRead = 64<<20 + 1

// digest returns the SHA-256 of a file in hex, empty if it cannot be read. A pipe in its
// place does not block.
func digest(path string) string {
	f, err := safefile.Open(path, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() >= maxRead {
		return ""
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, maxRead)); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
