package session

// alone locks nothing: a folder can't be locked here. Two processes that write
// the lock file in the same millisecond can still undo each other's change.
func alone(string) (release func(), err error) { return func() {}, nil }
