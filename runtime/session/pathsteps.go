package session

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxLinks is how many links are followed, as by Linux; with more, nothing can
// be opened.
const maxLinks = 40

// stepInside is the first step of a path that whoever can change the directory
// root can change: a file, directory or link in it. It goes the way that the
// system goes when it opens the path, link by link. It is empty where there is
// none, and where the path leads nowhere.
//
// A hard link to a file in the directory, and a directory of it that is mounted
// elsewhere, can't be told from others.
func stepInside(root, path string) string {
	at, rest := beginning(path)
	if root == "" || at == "" {
		return ""
	}
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			// Of a directory without links in its path.
			at = filepath.Dir(at)
			continue
		}
		step := filepath.Join(at, name)
		info, err := os.Lstat(step)
		switch {
		case err != nil:
			return ""
		case inside(root, at):
			return step
		case info.Mode()&os.ModeSymlink == 0:
			at = step
			continue
		}
		target, err := os.Readlink(step)
		if links++; err != nil || links > maxLinks {
			return ""
		}
		if filepath.IsAbs(target) {
			at, target = volume(target)
		}
		rest = append(words(target), rest...)
	}
	return ""
}

// beginning is the directory that a path begins at, without links, and its
// steps from there.
func beginning(path string) (at string, steps []string) {
	if runtime.GOOS == "windows" {
		// There a ".." is taken out before any link is followed.
		path = filepath.Clean(path)
	}
	if filepath.IsAbs(path) {
		at, path = volume(path)
		return at, words(path)
	}
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err != nil {
		return "", nil
	}
	return here, words(path)
}

// volume splits an absolute path after its root.
func volume(path string) (root, rest string) {
	n := len(filepath.VolumeName(path)) + 1
	return path[:n], path[n:]
}

func words(path string) []string { return strings.FieldsFunc(path, isSeparator) }

// inside tells whether a directory is root or below it, by whatever name: on
// some systems a directory has several.
func inside(root, dir string) bool {
	top, err := os.Stat(root)
	if err != nil {
		return false
	}
	for {
		if info, err := os.Stat(dir); err == nil && os.SameFile(top, info) {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}
