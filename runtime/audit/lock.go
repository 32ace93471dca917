package audit

import (
	"errors"
	"os"
	"time"
)

// lockKind is whether others may have the lock as well.
type lockKind int

const (
	shared lockKind = iota
	exclusive
)

var errLocked = errors.New("another process holds it")

// lock takes the lock of an open file, which ends with the process at the
// latest. The system's own wait would have no end if the holder is stopped, so
// it is tried again and again, for as long as wait.
func lock(f *os.File, kind lockKind, wait time.Duration) error {
	const least, most = 20 * time.Microsecond, 5 * time.Millisecond
	for begun, pause := time.Now(), least; ; pause = min(2*pause, most) {
		err := tryLock(f, kind)
		if !errors.Is(err, errLocked) || time.Since(begun) > wait {
			return err
		}
		time.Sleep(pause)
	}
}
