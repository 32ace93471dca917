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
	// dontWait keeps an open from waiting for the other end of a named pipe, and
	// from making a terminal ours.
	dontWait       = unix.O_NONBLOCK | unix.O_NOCTTY
	dontFollow     = unix.O_NOFOLLOW
	directoryAlone = unix.O_DIRECTORY
)

// IsOwn reports whether a file belongs to the user who runs us.
func IsOwn(info fs.FileInfo) bool {
	owner, ok := ownerOf(info)
	return ok && owner == os.Geteuid()
}

// CheckPlanted refuses a file or link that another user may have put at a path,
// in a directory where everybody can: the kernel's own rule for links there, for
// files too. What isn't there is fine.
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

// maxLinks is how many links a path may have, as on Linux.
const maxLinks = 40

// Resolve is [filepath.EvalSymlinks], and refuses links that another user may
// have put there, as [CheckPlanted] does.
func Resolve(path string) (string, error) {
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
		}
		// Joined as they are: two dots after a link lead above what it leads to.
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

// split gives the names of a path, of which two dots are one: in a path that has
// no links [filepath.Join] means by them what the kernel does.
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
