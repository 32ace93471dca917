package filelock

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// Try returns [errors.ErrUnsupported]: directories cannot be locked.
func Try(string) (*Lock, error) { return nil, errors.ErrUnsupported }

// Others cannot read locked bytes, so one byte is locked where no file ends.
const lockOffsetHigh = 1 << 30

// TryFile takes an open file's lock, exclusive or shared with others, without waiting
// for it. It returns [ErrLocked], or an error of the system.
func TryFile(f *os.File, exclusive bool) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if exclusive {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: lockOffsetHigh})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrLocked
	}
	return err
}

// Unlock releases an open file's lock, which cannot fail while it is held.
func Unlock(f *os.File) {
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{OffsetHigh: lockOffsetHigh})
}

// Removed is false: an open file keeps its name.
func Removed(fs.FileInfo) bool { return false }
