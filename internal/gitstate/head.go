// Package gitstate reads what a git repository has checked out, and whether the
// files are still that. The files of the repository are read rather than git run,
// so that a build needs no git and a repository's configuration can't run
// anything.
// https://git-scm.com/docs/gitrepository-layout
package gitstate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Repository is a working tree and where its repository is.
type Repository struct {
	// Root is the directory of the working tree.
	Root string
	// dir has what is this working tree's alone, and common what it shares with
	// other ones of the same repository.
	dir, common string
}

// Find looks for the repository that a directory is in, upward.
func Find(dir string) (r Repository, ok bool) {
	for {
		path := filepath.Join(dir, ".git")
		if info, err := os.Stat(path); err == nil {
			if info.IsDir() {
				return newRepository(dir, path), true
			}
			// It may be a file that names the directory.
			if target, ok := strings.CutPrefix(readLine(path), "gitdir: "); ok {
				return newRepository(dir, join(dir, target)), true
			}
			return r, false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return r, false
		}
		dir = parent
	}
}

func newRepository(root, dir string) Repository {
	r := Repository{root, dir, dir}
	if shared := readLine(filepath.Join(dir, "commondir")); shared != "" {
		r.common = join(dir, shared)
	}
	return r
}

var objectName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`) })

// Head is the commit that is checked out, "" when there is none to be read.
func (r Repository) Head() string {
	head := readLine(filepath.Join(r.dir, "HEAD"))
	ref, symbolic := strings.CutPrefix(head, "ref: ")
	if !symbolic {
		return commitOrNone(head)
	}
	if !filepath.IsLocal(filepath.FromSlash(ref)) {
		return ""
	}
	for _, base := range []string{r.dir, r.common} {
		if commit := commitOrNone(readLine(filepath.Join(base, filepath.FromSlash(ref)))); commit != "" {
			return commit
		}
	}
	return packedRef(filepath.Join(r.common, "packed-refs"), ref)
}

func packedRef(file, ref string) string {
	data := readGit(file, maxPackedRefs)
	for line := range strings.Lines(data) {
		if commit, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == ref {
			return commitOrNone(commit)
		}
	}
	return ""
}

func commitOrNone(s string) string {
	if objectName().MatchString(s) {
		return s
	}
	return ""
}

func readLine(path string) string {
	line, _, _ := strings.Cut(readGit(path, maxGitLine), "\n")
	return strings.TrimSpace(line)
}

// What is read of a file in .git at most, in bytes. A line names a file; a
// million references take less than the other.
const (
	maxGitLine    = 16 << 10
	maxPackedRefs = 128 << 20
)

// readGit reads the beginning of a file, "" where there is none. Whoever made the
// project made its .git.
func readGit(path string, limit int64) string {
	data, err := safefile.Read(path, limit)
	if err != nil {
		return ""
	}
	return string(data)
}

func join(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
