package session

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stagecraft-dev/stagecraft/runtime/config"
)

var objectName = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// headCommit reads the commit that is checked out where dir is, "" when there
// is none to be read. The files are read rather than git run, so that a build
// needs no git and a repository's configuration can't run anything.
// https://git-scm.com/docs/gitrepository-layout
func headCommit(dir string) string {
	gitDir := findGitDir(dir)
	if gitDir == "" {
		return ""
	}
	head := readLine(filepath.Join(gitDir, "HEAD"))
	ref, symbolic := strings.CutPrefix(head, "ref: ")
	if !symbolic {
		return commitOrNone(head)
	}
	if !filepath.IsLocal(filepath.FromSlash(ref)) {
		return ""
	}
	// A worktree shares the refs of the repository that it belongs to.
	common := gitDir
	if shared := readLine(filepath.Join(gitDir, "commondir")); shared != "" {
		common = join(gitDir, shared)
	}
	for _, base := range []string{gitDir, common} {
		if commit := commitOrNone(readLine(filepath.Join(base, filepath.FromSlash(ref)))); commit != "" {
			return commit
		}
	}
	return packedRef(filepath.Join(common, "packed-refs"), ref)
}

// findGitDir looks for .git upward; it may be a file that names the folder.
func findGitDir(dir string) string {
	for {
		path := filepath.Join(dir, ".git")
		if info, err := os.Stat(path); err == nil {
			if info.IsDir() {
				return path
			}
			if target, ok := strings.CutPrefix(readLine(path), "gitdir: "); ok {
				return join(dir, target)
			}
			return ""
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
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
	if objectName.MatchString(s) {
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
	data, err := config.ReadRegular(path, limit)
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
