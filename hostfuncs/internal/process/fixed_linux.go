package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks is how many links the kernel follows in a path.
const maxLinks = 40

// isFixed reports whether user is not root and only root can make a path lead
// elsewhere: each directory on the way, links included, belongs to root and only
// root may write to it. Such a program can be run by its path, by which tools of
// the system know it.
func isFixed(path string, user int) bool {
	if user == 0 || !filepath.IsAbs(path) || !rootAlone("/") {
		return false
	}
	at, rest := "/", strings.Split(path, "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		switch {
		case err != nil:
			return false
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(next)
			if links++; err != nil || links > maxLinks {
				return false
			}
			if filepath.IsAbs(target) {
				at = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
		case info.IsDir():
			if !rootAlone(next) {
				return false
			}
			at = next
		case len(rest) > 0:
			return false
		}
	}
	return true
}

func rootAlone(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	// The bits of the group are the most that an access list gives to anyone.
	return ok && stat.Uid == 0 && info.Mode().Perm()&0o022 == 0
}
