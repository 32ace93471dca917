package session

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxLinks is the most links that a path may have, as on Linux.
const maxLinks = 40

// stepInside is the first file, directory or link of a path that is in the directory
// root, so that whoever can change root can change where the path leads. It follows
// the path as the system does, link by link. It is empty if no step is in root, or if
// the path leads nowhere.
//
// Hard links to files in root, and bind mounts of its directories, are not detected.
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
			// The path of at has no links.
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
		rest = append(elements(target), rest...)
	}
	return ""
}

// beginning splits a path into the directory where it begins, without links, and its
// elements from there.
func beginning(path string) (at string, rest []string) {
	if runtime.GOOS == "windows" {
		// Windows resolves ".." before it follows links.
		path = filepath.Clean(path)
	}
	if filepath.IsAbs(path) {
		at, path = volume(path)
		return at, elements(path)
	}
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err != nil {
		return "", nil
	}
	return here, elements(path)
}

// volume splits an absolute path after its root.
func volume(path string) (root, rest string) {
	n := len(filepath.VolumeName(path)) + 1
	return path[:n], path[n:]
}

func elements(path string) []string { return strings.FieldsFunc(path, isSeparator) }

// inside reports whether a directory is root or below it. It compares files, because
// on some systems a directory has several names.
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
