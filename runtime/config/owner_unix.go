//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// trusted tells whether a file is the user's own, root's, or of whoever has the
// directory that we are in, as in a container with a project of the machine's.
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
