// Package privatedir makes directories that no other user can write to, so that
// their contents can be trusted.
package privatedir

import (
	"fmt"
	"io/fs"
	"os"
)

// Make makes a directory and its parents, unless it exists.
//
// # Errors
//
// It refuses an existing directory that is a link, that another user owns or that
// other users can use, and does not change it.
func Make(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return Check(dir)
}

// Check returns the error that [Make] returns for an existing directory.
func Check(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 || !info.IsDir() {
		return fmt.Errorf("%s is not a directory, but a link or a file", dir)
	}
	return checkOwner(dir, info)
}
