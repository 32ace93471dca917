// Package screen shows what several programs print at once: line by line, each with the
// name of its program. On a terminal, the last line is one that its program has not
// finished, such as a prompt or a progress bar.
package screen

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Options say what is shown. Stdout and Stderr are required.
type Options struct {
	Stdout, Stderr io.Writer
	// Colour marks the names of programs.
	Colour bool
	// Mask masks a text from which control sequences were removed. The streams of programs
	// are masked by the caller. Nil masks nothing.
	Mask func(string) string
	// Timestamps begins each line with the local time.
	Timestamps bool
	// Only, if set, is the name of the program that is shown. The others go to the log only.
	Only string
	// Log, if set, gets all lines of all programs. The screen does not close it.
	Log *Log
}

// Screen is where programs print. It is safe for concurrent use.
type Screen struct {
	opts     Options
	out, err *target
	now      func() time.Time
	after    func(time.Duration, func())

	mu       sync.Mutex
	programs []*Program
	lastID   int
	width    int // of the longest name so far, in columns
	names    map[string]bool
	nameAll  bool
	// live is the stream whose unfinished line is the last line of the terminal, nil for
	// none. queued says that a look at unfinished lines is due, and turn counts changes of
	// these.
	live   *Stream
	queued bool
	turn   int
}

// target is where a stream goes.
type target struct {
	w        io.Writer
	terminal bool
	// open is the program that has printed a part of a line, unchanged.
	open *Program
}

func newTarget(w io.Writer) *target {
	f, ok := w.(*os.File)
	return &target{w: w, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// idle is the time after which an unfinished line is shown, and the least time between two
// looks at it.
const idle = 50 * time.Millisecond

// New returns a screen.
func New(opts Options) *Screen {
	s := &Screen{opts: opts, out: newTarget(opts.Stdout), now: time.Now, names: make(map[string]bool)}
	s.after = func(d time.Duration, do func()) { time.AfterFunc(d, do) }
	s.err = newTarget(opts.Stderr)
	if s.out.terminal && s.err.terminal || sameFile(opts.Stdout, opts.Stderr) {
		s.err = s.out
	}
	return s
}

func sameFile(a, b io.Writer) bool {
	f, ok := a.(*os.File)
	g, same := b.(*os.File)
	return ok && same && f == g
}

// NameAll makes each line begin with the name of its program, even while one alone runs.
// That one program is chosen by Options.Only needs no name.
func (s *Screen) NameAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nameAll = s.opts.Only == ""
}

// Selects reports whether an option changes what a single program prints.
func (s *Screen) Selects() bool {
	return s.opts.Timestamps || s.opts.Only != "" || s.opts.Log != nil
}

// Terminal reports whether programs can have a terminal of their own: if both streams go
// to a terminal. Otherwise the user wants to have the streams apart, and a terminal has
// only one.
func (s *Screen) Terminal() bool { return s.out.terminal && s.err.terminal }

// Missing reports whether no program had the name in Options.Only, and returns the names
// that there were.
func (s *Screen) Missing() (names []string, missing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Only == "" || s.names[s.opts.Only] {
		return nil, false
	}
	for name := range s.names {
		names = append(names, name)
	}
	return names, true
}

// Message returns a writer for messages of the caller's own, whole lines in each Write,
// that leaves the line of a program whole. It writes to w.
func (s *Screen) Message(w io.Writer) io.Writer { return message{s, w} }

type message struct {
	screen *Screen
	w      io.Writer
}

// Write implements [io.Writer].
func (m message) Write(p []byte) (int, error) {
	s, t := m.screen, newTarget(m.w)
	if !t.terminal || !s.out.terminal {
		return m.w.Write(p) // a program may wait for the reader of its output meanwhile
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.open, s.out.open = s.out.open, nil
	if err := s.print(t, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// print writes whole lines. On a terminal, the unfinished line makes way for them and
// follows them. The caller has the lock.
func (s *Screen) print(t *target, lines []byte) error {
	b := append(s.lineBegins(t), lines...)
	if t.terminal {
		b = s.appendLive(b)
	}
	_, err := t.w.Write(b)
	return err
}

// lineBegins returns what makes the next bytes the beginning of a line. The caller has the
// lock.
func (s *Screen) lineBegins(t *target) []byte {
	switch {
	case t.open != nil:
		t.open = nil
		return []byte{'\n'}
	case t.terminal && s.live != nil:
		return []byte(eraseLine)
	}
	return nil
}

const eraseLine = "\r\x1b[K"

// appendLive appends the unfinished line, as much of it as has space.
func (s *Screen) appendLive(b []byte) []byte {
	if s.live == nil || s.live.partial == nil {
		s.live = nil
		return b
	}
	b = s.live.program.appendPrefix(b, s.now())
	return append(b, s.live.partial...)
}

// queue makes unfinished lines appear soon. The caller has the lock.
func (s *Screen) queue() {
	if !s.queued {
		s.queued = true
		s.after(idle, s.look)
	}
}

// look shows the unfinished line that changed last.
func (s *Screen) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = false
	var last *Stream
	for _, p := range s.programs {
		for _, st := range p.streams {
			if st.partial != nil && (last == nil || st.turn > last.turn) {
				last = st
			}
		}
	}
	if last == nil {
		return
	}
	b := s.lineBegins(s.out)
	s.live = last
	_, _ = s.out.w.Write(s.appendLive(b)) // an error comes again with the next line
}

// several reports whether lines have names: if more than one program may print, or all are
// to have one. The caller has the lock.
func (s *Screen) several() bool {
	shown := 0
	for _, p := range s.programs {
		if !p.hidden {
			shown++
		}
	}
	return shown > 1 || s.nameAll
}

// size returns the columns and rows of the terminal.
func (s *Screen) size() (columns, rows int) {
	if f, ok := s.out.w.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 0 {
			return columns, rows
		}
	}
	return 80, 24
}

// resize calls the programs' own functions if lines have got more or less space.
func resize(programs []*Program) {
	for _, p := range programs {
		if p.resized != nil {
			p.resized()
		}
	}
}
