package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/filelock"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Log is an open log. It is safe for concurrent use, and so is the file for processes.
type Log struct {
	mu   sync.Mutex
	file *os.File
	end  end
	seq  map[string]int // by run

	limit   time.Duration // of the wait for another writer
	opts    Options
	headErr error
}

// Options say how a log is written. The zero value is usable.
type Options struct {
	// Heads keeps the hash of the first and the last record of a run.
	Heads Heads
	// Done ends the wait for another process that writes when it is closed, except for
	// a moment in which the last record can be written.
	Done <-chan struct{}
	// Slow is called if a wait takes a second. It may be nil.
	Slow func()
}

// end is the end of the file, where the next record goes.
type end struct {
	size int64  // of the file
	prev string // for the next record
	torn bool   // the last line has no newline
}

const (
	// maxWait is the most to wait for another writer, which takes longer only if it is
	// stopped.
	maxWait = 10 * time.Second
	// slowAfter is when a wait is reported.
	slowAfter = time.Second
	// lastMoment is the least to wait, even after [Options].Done. A writer needs less.
	lastMoment = 200 * time.Millisecond
)

// Open opens a log for writing. It creates one, readable only by its owner, if none
// exists.
//
// # Errors
//
// It refuses, without waiting, a path that leads to something other than a regular file,
// and a file that is not a log.
func Open(path string, opts Options) (*Log, error) {
	// The path is used later, when the working directory may be another one.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f, err := openOrCreate(path)
	if err != nil {
		return nil, err
	}
	l := &Log{file: f, limit: maxWait, opts: opts, seq: make(map[string]int)}
	if err := l.locked(func() error { return nil }); err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

func openOrCreate(path string) (*os.File, error) {
	if err := safefile.CheckPlanted(path); err != nil {
		return nil, err
	}
	f, err := safefile.Open(path, os.O_RDWR)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	// A dangling link must not create the file it names.
	f, err = safefile.Create(path, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return safefile.Open(path, os.O_RDWR)
	}
	return f, err
}

// Name is the file's absolute path.
func (l *Log) Name() string { return l.file.Name() }

// HeadError returns why a head could not be kept, if one could not. The log itself is
// complete.
func (l *Log) HeadError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.headErr
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Append writes a record, and sets its Seq, Prev and Hash. All records of a run must go
// through one Log, which counts them.
//
// # Errors
//
// Errors are those of the file, a record that is larger than [MaxLine] or not JSON,
// another writer that does not end, and a log that was removed. After an error the log
// does not have the record, and the next one can be written. If a partly written record
// cannot be removed, it stays as after a kill.
func (l *Log) Append(r *Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Time = r.Time.UTC()
	if r.Policies == nil {
		r.Policies = []Policy{}
	}
	return l.locked(func() error { return l.write(r) })
}

// locked calls do while no other process writes, with l.end up to date.
func (l *Log) locked(do func() error) error {
	if err := lock(l.file, true, l.limit, l.opts); err != nil {
		return fmt.Errorf("locking %s: %w", l.Name(), err)
	}
	defer filelock.Unlock(l.file)
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if filelock.Removed(info) {
		return fmt.Errorf("%s was removed during the run", l.Name())
	}
	if info.Size() != l.end.size || l.end.prev == "" {
		if l.end, err = findEnd(l.file, info.Size()); err != nil {
			return fmt.Errorf("%s: %w", l.Name(), err)
		}
	}
	return do()
}

func (l *Log) write(r *Record) error {
	r.Seq, r.Prev = l.seq[r.Run]+1, l.end.prev
	line, err := r.line()
	if err != nil {
		return err
	}
	if l.end.torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := l.file.WriteAt(line, l.end.size); err != nil {
		// What cannot be removed is found by the next writer.
		_ = l.file.Truncate(l.end.size)
		return err
	}
	l.seq[r.Run] = r.Seq
	l.end = end{size: l.end.size + int64(len(line)), prev: r.Hash}
	if r.Type == TypeStart || r.Type == TypeEnd {
		l.headErr = cmp.Or(l.headErr, l.opts.Heads.keep(l.file, Head{Hash: r.Hash, Size: l.end.size, Time: r.Time}))
	}
	return nil
}

// lock takes the lock of the file. The system's own wait would not end if the holder is
// stopped, so lock tries again and again until limit.
func lock(f *os.File, exclusive bool, limit time.Duration, w Options) error {
	const least, most = 20 * time.Microsecond, 5 * time.Millisecond
	for begun, pause := time.Now(), least; ; pause = min(2*pause, most) {
		err := filelock.TryFile(f, exclusive)
		waited := time.Since(begun)
		if !errors.Is(err, filelock.ErrLocked) || waited > limit || waited > lastMoment && w.over() {
			return err
		}
		if waited > slowAfter && w.Slow != nil {
			w.Slow()
			w.Slow = nil
		}
		time.Sleep(pause)
	}
}

// over reports whether a wait should end.
func (w Options) over() bool {
	select {
	case <-w.Done:
		return true
	default:
		return false
	}
}

// The last record is searched for in the last bytes of a file: first in a few, then in
// more, up to the size of some incomplete lines.
const (
	firstTail = 8 << 10
	maxTail   = 4 * MaxLine
)

// findEnd returns what the next record must follow, in a file of this size.
func findEnd(f io.ReaderAt, size int64) (end, error) {
	for window := int64(firstTail); ; window = min(8*window, maxTail) {
		from := max(0, size-window)
		data := make([]byte, size-from)
		if _, err := f.ReadAt(data, from); err != nil && size > 0 {
			return end{}, err
		}
		e, ok := follow(data, from == 0)
		e.size = size
		switch {
		case ok:
			return e, nil
		case from == 0:
			return end{}, errors.New("not an audit log; name another file")
		case window == maxTail:
			return end{}, fmt.Errorf("no record in its last %d bytes; name another file", maxTail)
		}
	}
}

// follow finds the last record in the last bytes of a file, and what the next one must
// follow. If they are the whole file, it may have only the first part of a record.
func follow(data []byte, whole bool) (end, bool) {
	torn := len(data) > 0 && data[len(data)-1] != '\n'
	for stop := len(data); stop > 0; {
		line := bytes.TrimSuffix(data[:stop], []byte{'\n'})
		start := bytes.LastIndexByte(line, '\n') + 1
		if start == 0 && !whole {
			return end{}, false
		}
		if hash, ok := sealed(line[start:]); ok {
			return end{prev: cover(hash, data[stop:], torn), torn: torn}, true
		}
		stop = start
	}
	for line := range bytes.Lines(data) {
		if !incomplete(bytes.TrimSuffix(line, []byte{'\n'})) {
			return end{}, false
		}
	}
	return end{prev: cover(origin, data, torn), torn: torn}, true
}

// cover is the prev of a record after one with this hash, with bytes between them. If
// they are torn, a newline is added.
func cover(hash string, between []byte, torn bool) string {
	if len(between) == 0 {
		return hash
	}
	if torn {
		return digest([]byte(hash), between, []byte{'\n'})
	}
	return digest([]byte(hash), between)
}
