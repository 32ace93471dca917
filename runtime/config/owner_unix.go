//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// trusted reports whether a file belongs to the user, to root, or to the owner of the
// current directory, as in a container with a project of the host's.
func trusted(file fs.FileInfo, directory string) bool {
	of, ok := file.Sys().(*syscall.Stat_t)
	if !ok || of.Uid == 0 || int(of.Uid) == os.Geteuid() {
		return true
	}
	info, err := os.Stat(directory)
	if err != nil {
		return false
	}
	in, ok := info.Sys().(*syscall.Stat_t)
	return ok && in.Uid == of.Uid
}
