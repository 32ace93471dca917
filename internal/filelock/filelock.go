// Package filelock locks files and directories among processes. The system releases a
// lock when the process ends, however it ends, and across PID namespaces.
package filelock

import "errors"

// ErrLocked means that another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// Lock is a directory's lock.
type Lock struct{ release func() error }

// Release releases the lock.
func (l *Lock) Release() error { return l.release() }
