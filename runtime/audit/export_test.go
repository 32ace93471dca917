package audit

import (
	"os"
	"time"
)

// Examine verifies a log that is not a file.
var Examine = examine

// SetWait sets how long another writer is waited for.
func (l *Log) SetWait(d time.Duration) { l.limit = d }

// Lock takes a file's lock, as a writer does.
func Lock(f *os.File) error { return lock(f, true, 0, Options{}) }

// LineOf is the line of a record.
func LineOf(r *Record) ([]byte, error) { return r.line() }

// ParseRecord reports whether a line is a record.
func ParseRecord(line string) bool {
	_, ok := parse([]byte(line))
	return ok
}
