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

const (
	// slowAfter is how long a wait may be without a word.
	slowAfter = time.Second
	// lastMoment is how long is waited at least, whatever is done. A writer is
	// ready in less.
	lastMoment = 200 * time.Millisecond
)

// over reports whether there is nothing to wait for any more.
func (w Options) over() bool {
	select {
	case <-w.Done:
		return true
	default:
		return false
	}
}

// lock takes the lock of an open file, which ends with the process at the
// latest. The system's own wait would have no end if the holder is stopped, so
// it is tried again and again, for as long as limit.
func lock(f *os.File, kind lockKind, limit time.Duration, w Options) error {
	const least, most = 20 * time.Microsecond, 5 * time.Millisecond
	for begun, pause := time.Now(), least; ; pause = min(2*pause, most) {
		err := tryLock(f, kind)
		waited := time.Since(begun)
		if !errors.Is(err, errLocked) || waited > limit || waited > lastMoment && w.over() {
			return err
		}
		if waited > slowAfter && w.Slow != nil {
			w.Slow()
			w.Slow = nil
		}
		time.Sleep(pause)
	}
}
