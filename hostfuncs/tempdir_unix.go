//go:build unix

package hostfuncs

import (
	"os"
	"syscall"
)

// lockDir has the lock of a folder until it is closed, or this process ends. It
// is the system's, and so holds where process IDs mean something else too.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
