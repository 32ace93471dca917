// Package filelock is a directory that one process has for itself, among those
// that ask for it.
package filelock

import "errors"

// ErrLocked is that another process has the directory.
var ErrLocked = errors.New("another process has locked the directory")

// Lock is a directory's lock. The system lets go of it when the process ends,
// however it does, also where process IDs mean something else to the others.
type Lock struct{ release func() error }

// Release lets others have the directory.
func (l *Lock) Release() error { return l.release() }
