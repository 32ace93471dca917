package screen

import (
	"bytes"
	"unicode/utf8"
)

// maxSequence is how much of a control sequence is read, in bytes. A longer one does
// nothing.
const maxSequence = 128

// sequence is a control sequence of ECMA-48, such as ESC [ 31 m.
type sequence struct {
	raw []byte // all of it
	// csi distinguishes ESC [ m from ESC m.
	csi   bool
	final byte
	// params are the digits and separators of a CSI sequence. A sequence is extended if it
	// has other bytes before the final one, as those for modes of a terminal have.
	params   string
	extended bool
}

// handler receives what a stream is made of. What it gets is valid during the call only.
type handler interface {
	// text is printable text in UTF-8.
	text(p []byte)
	// control is a control character, except ESC and DEL.
	control(c byte)
	sequence(s sequence)
}

// parser splits a stream into text, control characters and control sequences. It drops
// the strings for a terminal: titles, colours of the palette, links, device control.
type parser struct {
	state state
	seq   []byte // of the current sequence, at most maxSequence+1 bytes
	rune  []byte // the beginning of a character
}

type state byte

const (
	ground     state = iota
	escape           // after ESC
	inEscape         // after ESC and at least one byte of 0x20 to 0x2f
	inCSI            // after ESC [
	inString         // in a string
	stringEnds       // in a string, after ESC
)

// feed parses the next bytes of the stream.
func (p *parser) feed(data []byte, h handler) {
	for len(data) > 0 {
		if p.state == ground {
			data = p.ground(data, h)
			continue
		}
		if p.byte(data[0], h) {
			data = data[1:]
		}
	}
}

// ground parses up to the next control sequence, and returns the rest.
func (p *parser) ground(data []byte, h handler) []byte {
	n := 0
	for n < len(data) && data[n] >= ' ' && data[n] != 0x7f {
		n++
	}
	if n > 0 {
		p.printable(data[:n], n < len(data), h)
		return data[n:]
	}
	p.cutOff(h)
	switch c := data[0]; c {
	case 0x1b:
		p.state, p.seq = escape, append(p.seq[:0], c)
	case 0x7f:
	default:
		h.control(c)
	}
	return data[1:]
}

// printable hands text on. A character that is not whole is kept for the next call, unless
// this is the end of the text.
func (p *parser) printable(data []byte, end bool, h handler) {
	if len(p.rune) > 0 {
		data = append(p.rune, data...)
		p.rune = nil
	}
	if whole := wholeRunes(data); whole < len(data) && !end {
		p.rune, data = bytes.Clone(data[whole:]), data[:whole]
	}
	for len(data) > 0 {
		n := printableLen(data)
		if n > 0 {
			h.text(data[:n])
			data = data[n:]
			continue
		}
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError {
			h.text([]byte("\uFFFD"))
		}
		data = data[size:] // a control character of ISO 8859 is dropped
	}
}

// cutOff replaces the bytes of a character that was not finished.
func (p *parser) cutOff(h handler) {
	for range p.rune {
		h.text([]byte("\uFFFD"))
	}
	p.rune = nil
}

// wholeRunes is the length of data without a character that is cut off.
func wholeRunes(data []byte) int {
	for i := len(data) - 1; i >= 0 && i >= len(data)-utf8.UTFMax; i-- {
		if utf8.RuneStart(data[i]) {
			if !utf8.FullRune(data[i:]) {
				return i
			}
			break
		}
	}
	return len(data)
}

// printableLen is the length of the valid text at the beginning, without the control
// characters U+0080 to U+009F.
func printableLen(data []byte) int {
	for i := 0; i < len(data); {
		if data[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || isC1(r) {
			return i
		}
		i += size
	}
	return len(data)
}

func isC1(r rune) bool { return r >= 0x80 && r <= 0x9f }

// byte parses a byte of a sequence, and reports whether it is used up. A control character
// ends every sequence.
func (p *parser) byte(c byte, h handler) bool {
	switch p.state {
	case inString:
		return p.string(c)
	case stringEnds:
		p.state, p.seq = ground, p.seq[:0]
		if c == '\\' {
			return true
		}
		p.state, p.seq = escape, append(p.seq, 0x1b)
		return false
	}
	if c < ' ' || c >= 0x7f {
		p.state = ground
		return false
	}
	if len(p.seq) <= maxSequence {
		p.seq = append(p.seq, c)
	}
	p.next(c, h)
	return true
}

// string skips a byte of a string. A line end also ends it: else a string without an end
// would hide all that follows.
func (p *parser) string(c byte) bool {
	switch c {
	case 0x07, 0x18, 0x1a:
		p.state = ground
	case 0x1b:
		p.state = stringEnds
	case '\n':
		p.state = ground
		return false
	}
	return true
}

// next handles a byte of 0x20 to 0x7e of a sequence.
func (p *parser) next(c byte, h handler) {
	switch {
	case p.state == escape && c == '[':
		p.state = inCSI
	case p.state == escape && bytes.IndexByte([]byte("]PX^_"), c) >= 0:
		p.state = inString
	case p.state != inCSI && c <= 0x2f:
		p.state = inEscape
	case p.state == inCSI && c < 0x40:
	default:
		p.end(c, h)
	}
}

// end hands a whole sequence on.
func (p *parser) end(final byte, h handler) {
	s := sequence{raw: p.seq, final: final, csi: p.state == inCSI, extended: p.state == inEscape}
	p.state = ground
	if len(p.seq) > maxSequence {
		return
	}
	if s.csi {
		params := p.seq[2 : len(p.seq)-1]
		s.extended = bytes.ContainsFunc(params, func(r rune) bool { return r < '0' || r > ';' })
		s.params = string(params)
	}
	h.sequence(s)
}
