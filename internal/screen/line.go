package screen

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLine is how long a line may become, in bytes. The rest is another line.
const maxLine = 64 << 10

// whole is a limit for lines that need not fit.
const whole = math.MaxInt

// line is a whole line without its end: as it looks, with SGR sequences only, and as text.
// It is valid until the next one.
type line struct{ shown, plain []byte }

// assembler makes lines of what a program writes to a terminal. It applies what a program
// does within the last line, such as a progress bar: carriage returns, backspaces, and
// sequences that move in the line or erase it. A sequence that leaves the line ends it.
// All others are dropped, except SGR.
type assembler struct {
	// done receives each line.
	done func(line)
	// mask masks a text, which was written with something in it that is dropped.
	mask func(string) string
	// size returns the size of the program's terminal. The cursor moves no further.
	size func() (columns, rows int)

	parser parser
	style  style // of the next character
	// The current line is plain with its styles, or row once something was overwritten.
	plain   []byte
	begin   style
	changes []change
	row     *row
	// returned says that a carriage return was the last character.
	returned bool
	// joined says that something other than text was in the line.
	joined bool
	buffer [2][]byte
}

// change is where a line's style changes.
type change struct {
	at int
	to style
}

// Write implements [io.Writer].
func (a *assembler) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part := p
		i := bytes.IndexByte(p, '\n')
		if i >= 0 {
			part = p[:i+1]
		}
		p = p[len(part):]
		if i >= 0 && i < maxLine && a.fresh() && a.style == (style{}) && isSimple(part[:i]) {
			text := bytes.TrimRight(part[:i], "\r")
			a.done(line{text, text})
			continue
		}
		a.parser.feed(part, a)
	}
	return n, nil
}

// fresh reports whether a line is about to begin.
func (a *assembler) fresh() bool {
	return a.parser.state == ground && len(a.parser.rune) == 0 && !a.unfinished()
}

// unfinished reports whether a line has begun.
func (a *assembler) unfinished() bool { return len(a.plain) > 0 || a.row != nil || a.returned }

// isSimple reports whether a line is text that needs no change, apart from carriage
// returns at its end.
func isSimple(p []byte) bool {
	p = bytes.TrimRight(p, "\r")
	ascii := true
	for _, c := range p {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || printableLen(p) == len(p)
}

// flush ends the last line.
func (a *assembler) flush() {
	a.parser.cutOff(a)
	a.leave()
}

// finish hands the current line on.
func (a *assembler) finish() {
	l := a.current(whole)
	a.reset()
	a.done(l)
}

// reset begins another line.
func (a *assembler) reset() {
	a.plain, a.changes, a.row, a.returned, a.joined, a.begin = a.plain[:0], a.changes[:0], nil, false, false, a.style
}

// current returns the current line, at most so many columns of it if it has to fit.
func (a *assembler) current(limit int) (l line) {
	shown, plain := a.buffer[0][:0], a.buffer[1][:0]
	switch {
	case a.row != nil:
		l.shown, l.plain = a.row.render(shown, plain, limit)
		a.buffer = [2][]byte{l.shown, l.plain}
	case limit < whole:
		l.shown, l.plain = a.toRow(4*limit+maxMarks).render(shown, plain, limit)
		a.buffer = [2][]byte{l.shown, l.plain}
	case len(a.changes) == 0 && a.begin == (style{}):
		l = line{a.plain, a.plain}
	default:
		now, at := a.begin, 0
		shown = appendChange(shown, style{}, now)
		for _, c := range a.changes {
			shown = append(shown, a.plain[at:c.at]...)
			shown = appendChange(shown, now, c.to)
			now, at = c.to, c.at
		}
		l.shown = appendChange(append(shown, a.plain[at:]...), now, style{})
		l.plain, a.buffer[0] = a.plain, l.shown
	}
	if a.joined && a.mask != nil {
		if masked := a.mask(string(l.plain)); masked != string(l.plain) {
			l = line{[]byte(masked), []byte(masked)}
		}
	}
	return l
}

// toRow returns the current line as a row; of text after a limit it may leave out some.
func (a *assembler) toRow(limit int) *row {
	r, now, at := new(row), a.begin, 0
	for _, c := range append(a.changes, change{at: len(a.plain)}) {
		if at > limit {
			break
		}
		r.write(a.plain[at:min(c.at, at+limit)], now)
		now, at = c.to, c.at
	}
	return r
}

// overwritable makes the current line one that can be overwritten.
func (a *assembler) overwritable() *row {
	if len(a.plain) > maxCells {
		a.finish()
	}
	if a.row == nil {
		a.row = a.toRow(maxCells)
		a.plain, a.changes = a.plain[:0], a.changes[:0]
	}
	if a.returned {
		a.row.at, a.returned = 0, false
	}
	a.joined = true
	return a.row
}

// text implements [handler].
func (a *assembler) text(p []byte) {
	if a.returned {
		a.overwritable()
	}
	for len(p) > 0 {
		if a.row == nil {
			part := p[:min(len(p), maxLine-len(a.plain))]
			if part = part[:wholeRunes(part)]; len(part) == 0 {
				a.finish()
				continue
			}
			a.plain, p = append(a.plain, part...), p[len(part):]
			continue
		}
		_, size := utf8.DecodeRune(p)
		a.row.write(p[:size], a.style)
		p = p[size:]
		if a.row.full() {
			a.finish()
		}
	}
}

// control implements [handler]. Those that are not listed are dropped.
func (a *assembler) control(c byte) {
	switch c {
	case '\n':
		a.finish()
	case '\r':
		a.returned = true
	case '\t':
		if a.row == nil && !a.returned && len(a.plain) < maxLine {
			a.plain = append(a.plain, c)
		} else {
			a.overwritable().write([]byte{c}, a.style)
		}
	case '\b':
		a.overwritable().move(-1)
	case '\v', '\f':
		a.leave()
	default:
		a.joined = true
	}
}

// leave ends a line that has text, and drops an empty one.
func (a *assembler) leave() {
	if len(a.current(whole).plain) > 0 {
		a.finish()
		return
	}
	a.reset()
}

// sequence implements [handler].
func (a *assembler) sequence(s sequence) {
	switch {
	case !s.csi && !s.extended && strings.IndexByte("DEMc", s.final) >= 0:
		a.leave()
	case s.csi && s.extended && (s.final == 'h' || s.final == 'l') && isOtherScreen(s.params):
		a.leave()
	case s.csi && !s.extended && s.final == 'm':
		a.restyle(s.params)
	case s.csi && !s.extended && strings.IndexByte("ABEFHfdJ", s.final) >= 0 && (s.final != 'J' || number(s.params, 0) > 1):
		a.leave()
	case s.csi && !s.extended:
		a.edit(s)
	}
	a.joined = a.joined || a.unfinished()
}

// isOtherScreen reports whether a mode is the alternate screen.
func isOtherScreen(params string) bool {
	return params == "?1049" || params == "?1047" || params == "?47"
}

// restyle applies an SGR sequence.
func (a *assembler) restyle(params string) {
	a.style.apply(params)
	switch last := len(a.changes) - 1; {
	case a.row != nil:
	case len(a.plain) == 0:
		a.begin = a.style
	case last >= 0 && a.changes[last].at == len(a.plain):
		a.changes[last].to = a.style
	default:
		a.changes = append(a.changes, change{len(a.plain), a.style})
	}
}

// edit applies a sequence that changes the line or moves in it.
func (a *assembler) edit(s sequence) {
	if strings.IndexByte("KJG`CaDPX@", s.final) < 0 {
		return
	}
	r, n := a.overwritable(), min(number(s.params, 1), maxCells)
	switch s.final {
	case 'K', 'J':
		switch number(s.params, 0) {
		case 0:
			r.erase(r.at, maxCells)
		case 1:
			r.erase(0, r.at+1)
		default:
			r.erase(0, maxCells)
		}
	case 'G', '`':
		a.moveTo(n - 1)
	case 'C', 'a':
		a.moveTo(r.at + n)
	case 'D':
		r.move(-n)
	case 'P':
		r.remove(n)
	case 'X':
		r.erase(r.at, r.at+n)
	case '@':
		r.insert(n)
	}
}

// moveTo moves to a column, at most to the last one of the terminal. Text may go further.
func (a *assembler) moveTo(column int) {
	columns, _ := a.size()
	a.row.moveTo(min(column, max(columns-1, a.row.at)))
}

// number reads the first parameter of a sequence. If it is missing, the default is used,
// and also for 0 where that is not a value of its own.
func number(params string, otherwise int) int {
	first, _, _ := strings.Cut(params, ";")
	n, err := strconv.Atoi(first)
	if err != nil || n == 0 {
		return otherwise
	}
	return n
}
