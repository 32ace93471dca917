//go:build unix

package filelock

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

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
	if err := TryFile(f, true); err != nil {
		f.Close()
		return nil, err
	}
	return &Lock{f.Close}, nil
}

// TryFile takes an open file's lock, exclusive or shared with others, without waiting
// for it. Its errors are those of [Try].
func TryFile(f *os.File, exclusive bool) error {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	err := flock(f, how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// Unlock releases an open file's lock, which cannot fail while it is held.
func Unlock(f *os.File) { _ = flock(f, unix.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Removed reports whether an open file has no name left, so that others cannot lock it.
func Removed(info fs.FileInfo) bool {
	status, ok := info.Sys().(*syscall.Stat_t)
	return ok && status.Nlink == 0
}
