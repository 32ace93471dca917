package screen

import "strings"

// through hands on what a program alone on the screen writes, except what would outlast
// the program or be typed into our terminal: modes of the terminal, the title, other
// character sets, the scrollback's end, and questions that the terminal answers.
type through struct {
	parser parser
	style  style
	out    []byte
}

// pass returns the part of p that may be written. The style is set anew at the beginning,
// and reset at the end: the program may not write again.
func (f *through) pass(p []byte) []byte {
	f.out = appendChange(f.out[:0], style{}, f.style)
	f.parser.feed(p, f)
	f.out = appendChange(f.out, f.style, style{})
	return f.out
}

// text implements [handler].
func (f *through) text(p []byte) { f.out = append(f.out, p...) }

// control implements [handler].
func (f *through) control(c byte) {
	if strings.IndexByte("\a\b\t\n\v\f\r", c) >= 0 {
		f.out = append(f.out, c)
	}
}

// sequence implements [handler].
func (f *through) sequence(s sequence) {
	switch {
	case s.extended:
		return
	case s.csi && s.final == 'm':
		f.style.apply(s.params)
	case s.csi && s.final == 'J' && number(s.params, 0) == 3:
		return
	case s.csi && strings.IndexByte("ABCDEFGHIJKLMPSTXZ@`adefsu", s.final) < 0:
		return
	case !s.csi && strings.IndexByte("78DEM", s.final) < 0:
		return
	}
	f.out = append(f.out, s.raw...)
}
