package redact

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// Writer masks what is written to another writer, also a value that is split over
// several writes. It is safe for concurrent use.
type Writer struct {
	set *Set
	w   io.Writer

	mu     sync.Mutex
	scan   scanner
	kept   bytes.Buffer // read by scan and not yet written to w
	out    []byte
	err    error
	closed bool
}

// Writer returns a writer that masks the values of s. Values added later are masked
// in all bytes not yet written to w.
func (s *Set) Writer(w io.Writer) *Writer {
	return &Writer{set: s, w: w, scan: scanner{matcher: s.current()}}
}

// Write masks all of p. It keeps back what may still become part of a value and writes
// the rest.
//
// # Errors
//
// After an error of the other writer, all calls return it, Close too, and nothing more
// is written. After Close, the error is [os.ErrClosed].
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, os.ErrClosed
	}
	if w.err != nil {
		return 0, w.err
	}
	w.update()
	w.kept.Write(p)
	w.scan.read(p)
	if err := w.flush(w.scan.decided()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what was kept back, which is not part of a value. It does not close the
// other writer. A second Close does nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil {
		w.closed = true
		return w.err
	}
	w.closed = true
	w.update()
	return w.flush(w.scan.end)
}

// update adds the values that were added since the last write.
func (w *Writer) update() {
	if m := w.set.current(); m != w.scan.matcher {
		w.scan.restart(m, w.kept.Bytes())
	}
}

// flush writes what is kept back before an offset.
func (w *Writer) flush(end int) error {
	w.out = w.scan.appendMasked(w.out[:0], w.kept.Next(end-w.scan.done))
	if len(w.out) == 0 {
		return nil
	}
	n, err := w.w.Write(w.out)
	if err == nil && n < len(w.out) {
		err = io.ErrShortWrite
	}
	w.err = err
	return err
}
