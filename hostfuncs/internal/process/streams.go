package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"
)

const (
	// pipeCapacity is the largest buffer of a pipe, unless root raised it.
	pipeCapacity = 1 << 20
	// drainTime is how long to wait for bytes that should already be in a pipe.
	drainTime = time.Second
)

// streams are a command's standard streams. Data is copied to and from those that are
// not files.
type streams struct {
	files   [3]*os.File // the child's
	lent    []*os.File  // opened for the child, closed once it has started
	input   *os.File    // where Stdin is copied to, or nil
	outputs []*os.File  // where Stdout and Stderr are copied from
	far     *os.File    // the program's own terminal, open until the tree has ended; nil for none
	copies  []func() error
	done    chan error
}

// openStreams opens all streams of the child, or none.
func openStreams(c Command) (*streams, error) {
	s := new(streams)
	if c.Terminal != nil {
		s.openTerminal(c)
	}
	err := s.openInput(c)
	if err == nil && s.far == nil {
		s.files[1], err = s.openOutput("standard output", c.Stdout)
	}
	if err == nil && (s.far != nil || sameWriter(c.Stdout, c.Stderr)) {
		s.files[2] = s.files[1]
	} else if err == nil {
		s.files[2], err = s.openOutput("standard error", c.Stderr)
	}
	if err != nil {
		s.abandon()
		return nil, err
	}
	s.done = make(chan error, len(s.copies))
	return s, nil
}

// openTerminal opens the program's own terminal, if the system has one.
func (s *streams) openTerminal(c Command) {
	near, far, err := openTerminal(c.Terminal.Size)
	if err != nil {
		return
	}
	s.files[1], s.far, s.outputs = far, far, append(s.outputs, near)
	s.copies = append(s.copies, func() error { return copyOut("standard output", c.Stdout, near) })
}

func (s *streams) openInput(c Command) error {
	f, isFile := c.Stdin.(*os.File)
	switch {
	case isFile:
		s.files[0] = f
		return nil
	case c.Stdin == nil && c.Inherit:
		s.files[0] = os.Stdin
		return nil
	case c.Stdin == nil && s.far != nil:
		s.files[0] = s.far
		return nil
	case c.Stdin == nil:
		null, err := s.openNull()
		s.files[0] = null
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	s.files[0], s.input, s.lent = r, w, append(s.lent, r)
	s.copies = append(s.copies, func() error { return copyIn(w, c.Stdin) })
	return nil
}

func (s *streams) openNull() (*os.File, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		s.lent = append(s.lent, null)
	}
	return null, err
}

func (s *streams) openOutput(name string, w io.Writer) (*os.File, error) {
	if f, ok := w.(*os.File); ok {
		return f, nil
	}
	if w == nil {
		return s.openNull()
	}
	r, child, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.lent, s.outputs = append(s.lent, child), append(s.outputs, r)
	s.copies = append(s.copies, func() error { return copyOut(name, w, r) })
	return child, nil
}

// flow starts copying, once the child has started.
func (s *streams) flow() {
	closeAll(s.lent)
	for _, run := range s.copies {
		go func() { s.done <- run() }()
	}
}

// settle ends the copying after the tree has ended, and waits for it. All that the tree
// wrote is delivered.
func (s *streams) settle() error {
	// Usually the pipes are at their end by now, but an escaped process may still have
	// them open.
	now := time.Now()
	if s.far != nil {
		s.far.Close()
	}
	if s.input != nil {
		_ = s.input.SetWriteDeadline(now)
	}
	for _, r := range s.outputs {
		_ = r.SetReadDeadline(now)
	}
	var errs []error
	for range s.copies {
		errs = append(errs, <-s.done)
	}
	return errors.Join(errs...)
}

// abandon closes everything if the child could not be started.
func (s *streams) abandon() {
	closeAll(s.lent)
	closeAll(s.outputs)
	if s.far != nil {
		s.far.Close()
	}
	if s.input != nil {
		s.input.Close()
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func copyIn(w *os.File, r io.Reader) error {
	_, err := io.Copy(w, r)
	closeErr := w.Close()
	// The child may leave input unread.
	if brokenPipe(err) || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	return nil
}

func copyOut(name string, w io.Writer, r *os.File) error {
	// If the writer failed, closing makes the child's writes fail.
	defer r.Close()
	_, err := io.Copy(w, r)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// The tree has ended. What it wrote fits into the pipe; more than that comes
		// from an escaped process.
		_, err = io.Copy(w, io.LimitReader(patient{r}, pipeCapacity))
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !terminalEnded(err) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// patient reads what is in a pipe. Each Read has its own deadline, because the writer in
// between may be slow.
type patient struct{ f *os.File }

func (p patient) Read(buf []byte) (int, error) {
	if err := p.f.SetReadDeadline(time.Now().Add(drainTime)); err != nil {
		return 0, err
	}
	return p.f.Read(buf)
}

// sameWriter reports whether two writers are known to be the same.
func sameWriter(a, b io.Writer) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.ValueOf(b).Comparable() && a == b
}
