// Package gitstate reads which commit a git repository has checked out, and whether
// the working tree differs from it. It reads the repository's files and does not run
// git: a build needs no git, and a repository's configuration cannot run programs.
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

// Repository is a working tree with its repository.
type Repository struct {
	// Root is the directory of the working tree.
	Root string
	// dir has the files of this working tree, and common those that all working
	// trees of the repository share.
	dir, common string
}

// Find returns the repository that contains a directory.
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

// Head returns the commit that is checked out, "" if it cannot be read.
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

// The most bytes read of a file in .git: of one with a single line, and of the packed
// references, of which a million take less.
const (
	maxGitLine    = 16 << 10
	maxPackedRefs = 128 << 20
)

// readGit reads the beginning of a file, "" if it is missing. The author of the
// project controls its .git.
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
