//go:build unix

package session

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// aloneWait is how long another process may take for its change. One that was
// stopped in the midst of it would never end.
const aloneWait = 10 * time.Second

// alone has the folder's lock, until release, among the processes that ask for
// it. It is the folder's and not the lock file's, in whose place another file is
// put.
func alone(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(aloneWait); ; time.Sleep(time.Millisecond) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case errors.Is(err, unix.EINTR):
		case !errors.Is(err, unix.EWOULDBLOCK):
			// Some network file systems lock no folder, which keeps nobody from
			// writing a file there.
			return func() { f.Close() }, nil
		case time.Now().After(end):
			f.Close()
			return nil, errors.New("another process has locked the project folder")
		}
	}
}
