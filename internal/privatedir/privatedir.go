// Package privatedir makes directories that nobody else writes to: what is found
// in one is taken for one's own.
package privatedir

import (
	"fmt"
	"io/fs"
	"os"
)

// Make makes a directory, with those above it, unless it is there.
//
// # Errors
//
// One that is there and is a link, belongs to another user, or is open to
// others is refused, and stays as it is.
func Make(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 || !info.IsDir() {
		return fmt.Errorf("%s is no directory of its own, but a link or a file", dir)
	}
	return checkOwner(dir, info)
}
