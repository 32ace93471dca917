package screen

import (
	"strconv"
	"strings"
)

// style is how text looks, as SGR sequences set it: ECMA-48, 8.3.117.
type style struct {
	flags      uint16 // the attributes 1 to 9, each at the bit of its number, and overline at bit 0
	fore, back colour
}

// colour is 0 for the default, else a kind with its value.
type colour uint32

const (
	palette colour = 1 << 24 // with an index of 0 to 255
	direct  colour = 2 << 24 // with red, green and blue
)

// apply changes a style as an SGR sequence does.
func (s *style) apply(params string) {
	codes := strings.Split(params, ";")
	for len(codes) > 0 {
		code, sub, _ := strings.Cut(codes[0], ":")
		codes = codes[1:]
		n, err := strconv.Atoi(code)
		if err != nil && code != "" {
			continue
		}
		switch {
		case n == 38 || n == 48 || n == 58:
			var c colour
			if sub != "" {
				c = subColour(strings.Split(sub, ":"))
			} else {
				c, codes = extendedColour(codes)
			}
			s.setColour(n, c)
		case n == 4 && sub == "0":
			s.flags &^= 1 << 4
		default:
			s.set(n)
		}
	}
}

func (s *style) setColour(code int, c colour) {
	switch code {
	case 38:
		s.fore = c
	case 48:
		s.back = c
	}
}

// set applies a code without arguments. Others than these are ignored.
func (s *style) set(code int) {
	switch {
	case code == 0:
		*s = style{}
	case code <= 9:
		s.flags |= 1 << code
	case code == 21:
		s.flags |= 1 << 4
	case code == 22:
		s.flags &^= 1<<1 | 1<<2
	case code == 25:
		s.flags &^= 1<<5 | 1<<6
	case code >= 23 && code <= 29:
		s.flags &^= 1 << (code - 20)
	case code >= 30 && code <= 37:
		s.fore = palette | colour(code-30)
	case code == 39:
		s.fore = 0
	case code >= 40 && code <= 47:
		s.back = palette | colour(code-40)
	case code == 49:
		s.back = 0
	case code == 53:
		s.flags |= 1
	case code == 55:
		s.flags &^= 1
	case code >= 90 && code <= 97:
		s.fore = palette | colour(code-90+8)
	case code >= 100 && code <= 107:
		s.back = palette | colour(code-100+8)
	}
}

// extendedColour reads the arguments of a colour, 5;N or 2;R;G;B, and returns the rest.
func extendedColour(codes []string) (colour, []string) {
	switch {
	case len(codes) >= 2 && codes[0] == "5":
		return palette | part(codes[1]), codes[2:]
	case len(codes) >= 4 && codes[0] == "2":
		return rgb(codes[1:4]), codes[4:]
	}
	return 0, nil
}

// subColour reads 5:N, 2:R:G:B, or 2:SPACE:R:G:B.
func subColour(sub []string) colour {
	switch {
	case len(sub) >= 2 && sub[0] == "5":
		return palette | part(sub[1])
	case len(sub) == 4 && sub[0] == "2":
		return rgb(sub[1:])
	case len(sub) >= 5 && sub[0] == "2":
		return rgb(sub[2:5])
	}
	return 0
}

func rgb(parts []string) colour {
	return direct | part(parts[0])<<16 | part(parts[1])<<8 | part(parts[2])
}

func part(text string) colour {
	n, _ := strconv.Atoi(text)
	return colour(min(max(n, 0), 255))
}

// appendChange appends the sequence that changes the style of a terminal from one to
// another.
func appendChange(b []byte, from, to style) []byte {
	if from == to {
		return b
	}
	b = append(b, "\x1b["...)
	if from != (style{}) || to == (style{}) {
		b = append(b, '0')
	}
	for i := 1; i < 10; i++ {
		if to.flags&(1<<i) != 0 {
			b = appendCode(b, i)
		}
	}
	if to.flags&1 != 0 {
		b = appendCode(b, 53)
	}
	b = appendColour(b, to.fore, 30)
	b = appendColour(b, to.back, 40)
	return append(b, 'm')
}

func appendCode(b []byte, codes ...int) []byte {
	for _, n := range codes {
		if b[len(b)-1] != '[' {
			b = append(b, ';')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return b
}

// appendColour appends the codes of a colour; base is 30 for the foreground and 40 for the
// background.
func appendColour(b []byte, c colour, base int) []byte {
	n := int(c & 0xffffff)
	switch {
	case c == 0:
		return b
	case c&direct != 0:
		return appendCode(b, base+8, 2, n>>16, n>>8&255, n&255)
	case n < 8:
		return appendCode(b, base+n)
	case n < 16:
		return appendCode(b, base+60+n-8)
	}
	return appendCode(b, base+8, 5, n)
}
