package audit

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/filelock"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Read verifies a log and calls each with its records, also with changed ones. A line
// that is not a record is a finding, not an error. An error of each ends Read, which
// returns it.
//
// What is appended meanwhile is not read. A path that leads to something other than a
// regular file is refused.
func Read(path string, each func(Record) error) (Report, error) {
	f, err := safefile.Open(path, os.O_RDONLY)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return Report{}, fmt.Errorf("cannot read the audit log %s: %w", path, pe.Err)
	}
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	size, err := settled(f)
	if err != nil {
		return Report{}, err
	}
	return examine(io.LimitReader(f, size), each)
}

// Verify verifies a log.
func Verify(path string) (Report, error) {
	return Read(path, func(Record) error { return nil })
}

// settled is a file's size while nobody writes to it. Some network file systems have no
// locks, and a record may be half written there.
func settled(f *os.File) (int64, error) {
	if lock(f, false, time.Second, Options{}) == nil {
		defer filelock.Unlock(f)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func examine(r io.Reader, each func(Record) error) (Report, error) {
	lines := newLines(r)
	c := newChecker()
	for {
		ended, err := lines.next(c.tooLong)
		if err != nil {
			return c.report, err
		}
		if len(lines.line) > 0 || ended || c.long {
			if rec, ok := c.take(lines.line, ended); ok {
				if err := each(rec); err != nil {
					return c.report, err
				}
			}
		}
		if !ended {
			c.finish()
			return c.report, nil
		}
	}
}

// parse reads the record in a line, also if it was changed.
func parse(line []byte) (Record, bool) {
	var r Record
	err := json.Unmarshal(line, &r)
	return r, err == nil && r.Type != ""
}

// lines reads lines of any length in bounded memory.
type lines struct {
	r    *bufio.Reader
	line []byte // without its newline; not much longer than MaxLine
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next reads a line, and reports whether a newline ends it. If the line is longer than a
// record, long gets all but its last bytes.
func (l *lines) next(long func([]byte)) (ended bool, err error) {
	l.line = l.line[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.line) > MaxLine {
			long(l.line)
			l.line = l.line[:0]
		}
		l.line = append(l.line, part...)
		switch {
		case err == nil:
			l.line = l.line[:len(l.line)-1]
			return true, nil
		case errors.Is(err, io.EOF):
			return false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return false, err
		}
	}
}
