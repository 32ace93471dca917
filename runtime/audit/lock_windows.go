package audit

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// A lock here keeps others from reading what is locked. So it is one byte,
// where no file ends.
const lockOffsetHigh = 1 << 30

func tryLock(f *os.File, kind lockKind) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if kind == exclusive {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: lockOffsetHigh})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errLocked
	}
	return err
}

// unlock lets others write. It can't fail on a lock that is held.
func unlock(f *os.File) {
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{OffsetHigh: lockOffsetHigh})
}

// removed is always false: an open file keeps its name here.
func removed(fs.FileInfo) bool { return false }
