//go:build unix

package safefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// dontWait prevents waiting for the other end of a named pipe, and a terminal
	// from becoming the controlling terminal.
	dontWait       = unix.O_NONBLOCK | unix.O_NOCTTY
	dontFollow     = unix.O_NOFOLLOW
	directoryAlone = unix.O_DIRECTORY
)

// IsOwn reports whether the current user owns a file.
func IsOwn(info fs.FileInfo) bool {
	owner, ok := ownerOf(info)
	return ok && owner == os.Geteuid()
}

// CheckPlanted returns an error if another user may have created the file or link
// at a path, in a directory that all users can write to. This is the kernel's rule
// for links, applied to files too. A missing file is not an error.
// https://docs.kernel.org/admin-guide/sysctl/fs.html#protected-symlinks
func CheckPlanted(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil || dir.Mode().Perm()&0o002 == 0 {
		return err
	}
	owner, ok := ownerOf(info)
	host, _ := ownerOf(dir)
	if ok && owner != os.Geteuid() && owner != 0 && owner != host {
		return problem(path, ErrForeign)
	}
	return nil
}

// maxLinks is the most links that a path may have, as on Linux.
const maxLinks = 40

// Resolve is [filepath.EvalSymlinks], but refuses links as [CheckPlanted] does.
func Resolve(path string) (string, error) {
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
		}
		// Not cleaned: two dots after a link mean the parent of its target.
		path = dir + "/" + path
	}
	at, rest := "/", split(path)
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", problem(path, unix.ELOOP)
		}
		if err := CheckPlanted(next); err != nil {
			return "", err
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(split(target), rest...)
	}
	return at, nil
}

// split returns the elements of a path, ".." included: without links,
// [filepath.Join] resolves it as the kernel does.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func ownerOf(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
