package screen

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Program is a program that prints.
type Program struct {
	screen  *Screen
	name    string
	colour  int // an SGR code, 0 for none
	own     bool
	hidden  bool
	resized func()
	streams [2]*Stream
}

// colours are distinguishable on light and dark terminals. The first program has the
// second one.
var colours = []int{36, 33, 35, 32, 34, 31}

// leastColumns is how narrow a program's own terminal may become.
const leastColumns = 20

// Program adds a program. With ownTerminal it has a terminal of its own, and prints to its
// standard output only; resized, if set, is called when the size of that terminal changes
// other than by a change of ours.
func (s *Screen) Program(name string, ownTerminal bool, resized func()) *Program {
	s.mu.Lock()
	s.lastID++
	p := &Program{screen: s, name: name, own: ownTerminal, resized: resized, hidden: s.opts.Only != "" && s.opts.Only != name}
	if s.opts.Colour {
		p.colour = colours[s.lastID%len(colours)]
	}
	for i, t := range []*target{s.out, s.err} {
		p.streams[i] = newStream(p, t)
	}
	s.names[name] = true
	s.programs, s.width = append(s.programs, p), max(s.width, textColumns(name))
	others := slices.Clone(s.programs)
	s.mu.Unlock()
	resize(others)
	return p
}

// Stdout and Stderr are where the program prints to. What it prints is masked already.
func (p *Program) Stdout() io.Writer { return p.streams[0] }

// Stderr is like [Program.Stdout].
func (p *Program) Stderr() io.Writer { return p.streams[1] }

// Flush prints what is not printed yet, when the program has ended.
func (p *Program) Flush() error {
	for _, st := range p.streams {
		if err := st.flush(); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes the program: the lines of a single other one need no name.
func (p *Program) Remove() {
	s := p.screen
	s.mu.Lock()
	s.programs = slices.DeleteFunc(s.programs, func(other *Program) bool { return other == p })
	others := slices.Clone(s.programs)
	s.mu.Unlock()
	resize(others)
}

// Size is the size for a terminal of the program's own: that of our terminal without the
// columns for the name.
func (p *Program) Size() (columns, rows int) {
	s := p.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	columns, rows = s.size()
	return max(columns-p.prefixColumns(), min(columns, leastColumns)), rows
}

const timeFormat = "15:04:05.000"

// prefixColumns is how long the prefix is. The caller has the lock.
func (p *Program) prefixColumns() (n int) {
	if p.screen.opts.Timestamps {
		n += len(timeFormat) + 1
	}
	if p.screen.several() {
		n += p.screen.width + len(" | ")
	}
	return n
}

// appendPrefix appends what precedes a line: the time and the name. The caller has the
// lock.
func (p *Program) appendPrefix(b []byte, now time.Time) []byte {
	if p.screen.opts.Timestamps {
		b = append(now.AppendFormat(b, timeFormat), ' ')
	}
	if !p.screen.several() {
		return b
	}
	name := p.name + strings.Repeat(" ", p.screen.width-textColumns(p.name)) + " | "
	if p.colour != 0 {
		return fmt.Appendf(b, "\x1b[%dm%s\x1b[0m", p.colour, name)
	}
	return append(b, name...)
}

// Stream is a stream of a program.
type Stream struct {
	program *Program
	target  *target

	mu       sync.Mutex
	lines    assembler // for the screen
	forLog   assembler
	through  through
	prefix   []byte
	toScreen []byte // lines
	toLog    []byte

	// The screen's lock guards these. partial is the unfinished line as it looks, nil if
	// there is none, and turn when it changed.
	partial []byte
	turn    int
}

func newStream(p *Program, t *target) *Stream {
	st := &Stream{program: p, target: t}
	st.lines = assembler{done: st.line, mask: p.screen.opts.Mask, size: p.Size}
	st.forLog = assembler{done: st.logLine, mask: p.screen.opts.Mask, size: p.Size}
	return st
}

// Write implements [io.Writer].
func (st *Stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.log(p)
	if st.program.hidden {
		return len(p), nil
	}
	printed, err := st.unchanged(p)
	if err == nil && printed < len(p) {
		err = st.assemble(p[printed:])
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// unchanged prints the beginning of p as it is, and returns its length: all of it if the
// program is alone on the screen, else the rest of a line that began so.
func (st *Stream) unchanged(p []byte) (int, error) {
	s, t := st.program.screen, st.target
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.opts.Timestamps || st.lines.unfinished() || s.live != nil:
		return 0, nil
	case !s.several():
	case t.open == st.program:
		p = p[:lineEnd(p)]
	default:
		return 0, nil
	}
	var b []byte
	if t.open != st.program {
		b = s.lineBegins(t)
	}
	if t.open = st.program; p[len(p)-1] == '\n' {
		t.open = nil
	}
	if st.program.own && t.terminal {
		b = append(b, st.through.pass(p)...)
	} else {
		b = append(b, p...)
	}
	_, err := t.w.Write(b)
	return len(p), err
}

// lineEnd is the length of p up to the first line end.
func lineEnd(p []byte) int {
	for i, c := range p {
		if c == '\n' {
			return i + 1
		}
	}
	return len(p)
}

// assemble prints the lines that p ends, and keeps the rest.
func (st *Stream) assemble(p []byte) error {
	st.begin()
	_, _ = st.lines.Write(p)
	return st.deliver()
}

// begin prepares for lines.
func (st *Stream) begin() {
	s := st.program.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	st.prefix = st.program.appendPrefix(st.prefix[:0], s.now())
	st.toScreen = st.toScreen[:0]
}

// line receives a line for the screen.
func (st *Stream) line(l line) {
	st.toScreen = append(append(st.toScreen, st.prefix...), l.shown...)
	st.toScreen = append(st.toScreen, '\n')
}

// log logs the lines that p ends.
func (st *Stream) log(p []byte) {
	if log := st.program.screen.opts.Log; log != nil {
		st.toLog = st.toLog[:0]
		_, _ = st.forLog.Write(p)
		log.write(st.toLog)
	}
}

// logLine receives a line for the log.
func (st *Stream) logLine(l line) {
	s := st.program.screen
	st.toLog = s.opts.Log.appendLine(st.toLog, s.now(), st.program.name, l.plain)
}

// deliver prints the lines that are ready, and shows soon what is not finished.
func (st *Stream) deliver() error {
	s := st.program.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.target.terminal {
		st.setPartial()
	}
	if erased := s.live == st && st.partial == nil; len(st.toScreen) == 0 && !erased {
		return nil
	}
	return s.print(st.target, st.toScreen)
}

// setPartial notes the unfinished line. The last column stays free: a terminal would begin
// another line. The caller has the screen's lock.
func (st *Stream) setPartial() {
	s := st.program.screen
	before := st.partial != nil
	st.partial = nil
	if st.lines.unfinished() {
		width, _ := s.size()
		l := st.lines.current(max(width-1-st.program.prefixColumns(), 1))
		if len(l.plain) > 0 {
			st.partial = append([]byte{}, l.shown...)
		}
	}
	if before || st.partial != nil {
		s.turn++
		st.turn = s.turn
		s.queue()
	}
}

// flush prints and logs the last line.
func (st *Stream) flush() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if log := st.program.screen.opts.Log; log != nil {
		st.toLog = st.toLog[:0]
		st.forLog.flush()
		log.write(st.toLog)
	}
	if st.program.hidden {
		return nil
	}
	st.begin()
	st.lines.flush()
	return st.deliver()
}
