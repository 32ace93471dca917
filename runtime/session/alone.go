package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/filelock"
)

// aloneWait is how long another process may take for its change. One that was
// stopped in the midst of it would never end.
const aloneWait = 10 * time.Second

// slowAfter is how long a wait may be without a word.
const slowAfter = time.Second

// patience says what becomes of a wait for another process.
type patience struct {
	ctx  context.Context // ends it
	warn func(error)     // is told of one that takes long
}

// alone has the project directory's lock, until release. It is the directory's and not
// the lock file's, in whose place another file is put.
func (p patience) alone(dir string) (release func(), err error) {
	for begun, told := time.Now(), false; ; time.Sleep(time.Millisecond) {
		if p.ctx.Err() != nil {
			return nil, context.Cause(p.ctx)
		}
		if !told && time.Since(begun) > slowAfter {
			told = true
			p.warn(fmt.Errorf("waiting for another process that has locked the project directory %s", dir))
		}
		lock, err := filelock.Try(dir)
		_, unreadable := errors.AsType[*fs.PathError](err)
		switch {
		case err == nil:
			return func() { _ = lock.Release() }, nil
		case unreadable:
			return nil, err
		case !errors.Is(err, filelock.ErrLocked):
			// Where no directory can be locked, nobody is kept from writing a file
			// there: two processes that change it in the same millisecond can still
			// undo each other's change.
			return func() {}, nil
		case time.Since(begun) > aloneWait:
			return nil, errors.New("another process has locked the project directory")
		}
	}
}
