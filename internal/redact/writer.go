package redact

import (
	"bytes"
	"io"
	"os"
	"sync"
)

// Writer masks what is written to another writer, also where a value is split
// over several writes. It is safe for use by several goroutines.
type Writer struct {
	set *Set
	w   io.Writer

	mu     sync.Mutex
	scan   scanner
	held   bytes.Buffer // what scan has read and w hasn't got
	out    []byte
	err    error
	closed bool
}

// Writer returns a writer that masks the values of s. Those added later count
// for all bytes that w hasn't got.
func (s *Set) Writer(w io.Writer) *Writer {
	return &Writer{set: s, w: w, scan: scanner{matcher: s.current()}}
}

// Write takes all of p. It holds back what may still become part of a value and
// writes the rest.
//
// # Errors
//
// An error of the other writer is returned from then on, by Close too; nothing
// more is written to it. After Close, the error is [os.ErrClosed].
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
	w.held.Write(p)
	w.scan.read(p)
	if err := w.flush(w.scan.decided()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what is held back, which has become part of no value. It doesn't
// close the other writer. Closing twice is as closing once.
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

// update sees to values added since the last write.
func (w *Writer) update() {
	if m := w.set.current(); m != w.scan.matcher {
		w.scan.restart(m, w.held.Bytes())
	}
}

// flush writes what is held before an offset.
func (w *Writer) flush(end int) error {
	w.out = w.scan.appendMasked(w.out[:0], w.held.Next(end-w.scan.done))
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
