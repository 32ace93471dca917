// Package filelock locks a directory among the processes that ask for its lock.
package filelock

import "errors"

// ErrLocked means that another process holds the lock.
var ErrLocked = errors.New("another process has locked the directory")

// Lock is a directory's lock. The system releases it when the process ends, however
// it ends, and across PID namespaces.
type Lock struct{ release func() error }

// Release releases the lock.
func (l *Lock) Release() error { return l.release() }
