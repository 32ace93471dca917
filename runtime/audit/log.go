package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Log is a log that is written to. It may be used by several goroutines, and
// the file by several processes at once.
type Log struct {
	mu   sync.Mutex
	file *os.File
	end  end
	seq  map[string]int // by run

	limit   time.Duration // for another writer, at most
	opts    Options
	headErr error
}

// Options say how a log is written to. The zero value is of use.
type Options struct {
	// Heads keeps the hash of the first and the last record of a run.
	Heads Heads
	// Done, once closed, ends a wait for another process that writes. A last
	// record still has a moment.
	Done <-chan struct{}
	// Slow is called in a wait that has taken a second. It may be nil.
	Slow func()
}

// end is where the next record goes.
type end struct {
	size int64  // of the file
	prev string // for the next record
	torn bool   // the last line lacks its newline
}

// maxWait is how long another writer is waited for. None takes that long that
// isn't stopped.
const maxWait = 10 * time.Second

// Open opens a log to write to, and makes it, readable for its owner alone,
// where there is none.
//
// # Errors
//
// A file that is neither regular nor a link to a regular one is refused
// without waiting for it, and so is one that holds something else than a log.
func Open(path string, opts Options) (*Log, error) {
	// A path that is kept must mean the same when the directory changes.
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
	// A link that leads nowhere makes no file there.
	f, err = safefile.Create(path, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return safefile.Open(path, os.O_RDWR)
	}
	return f, err
}

// Name is the file's absolute path.
func (l *Log) Name() string { return l.file.Name() }

// HeadError says why a head could not be kept, nil where all were. The log is
// whole without.
func (l *Log) HeadError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.headErr
}

// Close closes the file. It waits for no disk.
func (l *Log) Close() error { return l.file.Close() }

// Append writes a record, and sets its Seq, Prev and Hash. All records of a run
// must go through one Log, which counts them.
//
// # Errors
//
// After an error the log is as it was before, and the record is not in it, so
// that the next may be written as if nothing was. Only where the system also
// refuses to take back a part that was written does that stay, as it would
// after a kill. Errors are those of the file, a record that can't be JSON or
// takes more than [MaxLine], another writer that does not end, and a log that
// was removed meanwhile.
func (l *Log) Append(r *Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Time = r.Time.UTC()
	if r.Policies == nil {
		r.Policies = []Policy{}
	}
	return l.locked(func() error { return l.write(r) })
}

// locked calls do while no other process writes, and l.end is where the file
// ends.
func (l *Log) locked(do func() error) error {
	if err := lock(l.file, exclusive, l.limit, l.opts); err != nil {
		return fmt.Errorf("locking %s: %w", l.Name(), err)
	}
	defer unlock(l.file)
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if removed(info) {
		return fmt.Errorf("%s was removed while it was written to", l.Name())
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
		// What can't be taken back is found by the next writer.
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
