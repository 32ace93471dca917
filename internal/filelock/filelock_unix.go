//go:build unix

package filelock

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Try takes a directory's lock without waiting for it.
//
// # Errors
//
// [ErrLocked], or an error of the system: some network file systems cannot lock
// directories.
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
