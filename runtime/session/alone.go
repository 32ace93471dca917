package session

import (
	"errors"
	"io/fs"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/folderlock"
)

// aloneWait is how long another process may take for its change. One that was
// stopped in the midst of it would never end.
const aloneWait = 10 * time.Second

// alone has the project folder's lock, until release. It is the folder's and not
// the lock file's, in whose place another file is put.
func alone(dir string) (release func(), err error) {
	for end := time.Now().Add(aloneWait); ; time.Sleep(time.Millisecond) {
		lock, err := folderlock.Try(dir)
		_, unreadable := errors.AsType[*fs.PathError](err)
		switch {
		case err == nil:
			return func() { _ = lock.Release() }, nil
		case unreadable:
			return nil, err
		case !errors.Is(err, folderlock.ErrLocked):
			// Where no folder can be locked, nobody is kept from writing a file
			// there: two processes that change it in the same millisecond can still
			// undo each other's change.
			return func() {}, nil
		case time.Now().After(end):
			return nil, errors.New("another process has locked the project folder")
		}
	}
}
