package screen

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Log is a file with the lines of all programs: the time, the name, the text. Control
// sequences are not part of it.
type Log struct {
	warn func(error)

	mu   sync.Mutex
	file *os.File
	// failed says that a write failed. Nothing is written then: a log with holes in it
	// would mislead.
	failed bool
}

// OpenLog opens a log to append to, and creates one, readable only by its owner, if none
// exists. The first error of a write goes to warn.
//
// # Errors
//
// It refuses, without waiting, a path that leads to something other than a regular file.
func OpenLog(path string, warn func(error)) (*Log, error) {
	if err := safefile.CheckPlanted(path); err != nil {
		return nil, err
	}
	const flag = os.O_WRONLY | os.O_APPEND
	f, err := safefile.Open(path, flag)
	if errors.Is(err, fs.ErrNotExist) {
		// A dangling link must not create the file it names.
		if f, err = safefile.Create(path, 0o600); err == nil || errors.Is(err, fs.ErrExist) {
			f.Close()
			f, err = safefile.Open(path, flag)
		}
	}
	if err != nil {
		return nil, err
	}
	return &Log{warn: warn, file: f}, nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// appendLine appends a line as it is written: RFC 3339 with milliseconds, the program's
// name, the text.
func (l *Log) appendLine(b []byte, now time.Time, name string, text []byte) []byte {
	b = append(now.AppendFormat(b, "2006-01-02T15:04:05.000Z07:00"), ' ')
	b = append(append(b, name...), " | "...)
	return append(append(b, text...), '\n')
}

func (l *Log) write(lines []byte) {
	if len(lines) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed {
		return
	}
	if _, err := l.file.Write(lines); err != nil {
		l.failed = true
		l.warn(err)
	}
}
