//go:build unix

package filelock

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Try takes a directory's lock, and does not wait for it.
//
// # Errors
//
// [ErrLocked], or what the system says: some network file systems lock no
// directory.
func Try(dir string) (*Lock, error) {
	f, err := safefile.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return &Lock{f.Close}, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			err = ErrLocked
		}
		f.Close()
		return nil, err
	}
}
