package abi

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// node is a parsed JSON value.
type node struct {
	kind  byte     // its first letter: n, t, f, ", [ or {; 0 for a number
	raw   []byte   // its source
	text  string   // of a string
	keys  []string // of an object
	items []node   // of a list, or the values of keys
}

// maxDepth bounds nested lists and objects, as encoding/json does.
const maxDepth = 10_000

// SyntaxError is the error of a text that is not JSON.
type SyntaxError struct {
	// Offset is the place of the error, in bytes.
	Offset  int
	Message string
}

func (e *SyntaxError) Error() string { return e.Message }

// parser reads one JSON document (RFC 8259). Invalid UTF-8 in strings, and halves of
// surrogate pairs, become U+FFFD.
type parser struct {
	in    []byte
	at    int
	depth int
}

func parse(in []byte) (n node, err error) {
	p := parser{in: in}
	if err := p.value(&n); err != nil {
		return n, err
	}
	if p.space(); p.at < len(in) {
		return n, p.unexpected("after top-level value")
	}
	return n, nil
}

// space skips white space, and returns the next byte, 0 at the end.
func (p *parser) space() byte {
	for ; p.at < len(p.in); p.at++ {
		switch p.in[p.at] {
		case ' ', '\t', '\r', '\n':
		default:
			return p.in[p.at]
		}
	}
	return 0
}

func (p *parser) unexpected(where string) error {
	message := "unexpected end of JSON input"
	if p.at < len(p.in) {
		message = "invalid character " + strconv.QuoteRune(rune(p.in[p.at])) + " " + where
	}
	return &SyntaxError{p.at, message}
}

func (p *parser) value(n *node) (err error) {
	n.kind = p.space()
	start := p.at
	switch {
	case n.kind == '{' || n.kind == '[':
		err = p.items(n)
	case n.kind == '"':
		n.text, err = p.string()
	case n.kind == '-' || n.kind-'0' <= 9:
		n.kind = 0
		err = p.number()
	case p.word("true") || p.word("false") || p.word("null"):
	default:
		err = p.literal("at start of value")
	}
	n.raw = p.in[start:p.at]
	return err
}

// literal is the error of a word that is not JSON, such as a key without quotes.
func (p *parser) literal(where string) error {
	end := p.at
	for end < len(p.in) && p.in[end]|0x20-'a' < 26 {
		end++
	}
	if end == p.at {
		return p.unexpected(where)
	}
	return &SyntaxError{p.at, "invalid literal: " + string(p.in[p.at:end])}
}

func (p *parser) word(word string) bool {
	end := p.at + len(word)
	if end > len(p.in) || string(p.in[p.at:end]) != word {
		return false
	}
	p.at = end
	return true
}

// items reads the items of a list or an object.
func (p *parser) items(n *node) error {
	if p.depth++; p.depth > maxDepth {
		return &SyntaxError{p.at, "exceeded max depth"}
	}
	end := n.kind + 2 // in ASCII, ] and } are two after [ and {
	p.at++
	for p.space() != end {
		if len(n.items) > 0 {
			if p.space() != ',' {
				return p.unexpected("after an item")
			}
			p.at++
		}
		at := len(n.items)
		if n.kind == '{' {
			key, err := p.key()
			if err != nil {
				return err
			}
			n.keys = append(n.keys, key)
		}
		n.items = append(n.items, node{})
		if err := p.value(&n.items[at]); err != nil {
			return err
		}
	}
	p.at++
	p.depth--
	return nil
}

func (p *parser) key() (string, error) {
	if p.space() != '"' {
		return "", p.literal("at start of object name")
	}
	key, err := p.string()
	if err != nil {
		return "", err
	}
	if p.space() != ':' {
		return "", p.unexpected("after object name")
	}
	p.at++
	return key, nil
}

func (p *parser) number() error {
	p.accept('-')
	if !p.accept('0') && !p.digits() {
		return p.unexpected("in numeric literal")
	}
	if p.accept('.') && !p.digits() {
		return p.unexpected("after decimal point in numeric literal")
	}
	if p.accept('e') || p.accept('E') {
		if !p.accept('+') {
			p.accept('-')
		}
		if !p.digits() {
			return p.unexpected("in exponent of numeric literal")
		}
	}
	return nil
}

func (p *parser) accept(c byte) bool {
	if p.at < len(p.in) && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

// digits reads one or more digits.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.in) && p.in[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at > start
}

func (p *parser) string() (string, error) {
	var out []byte
	for p.at++; p.at < len(p.in); {
		c := p.in[p.at]
		switch {
		case c == '"':
			p.at++
			return string(out), nil
		case c < ' ':
			return "", p.unexpected("in string literal")
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			r, size := utf8.DecodeRune(p.in[p.at:])
			out = utf8.AppendRune(out, r)
			p.at += size
		}
	}
	return "", p.unexpected("")
}

// escape reads an escaped character, which begins with a backslash.
func (p *parser) escape() (rune, error) {
	if p.at++; p.at >= len(p.in) {
		return 0, p.unexpected("")
	}
	c := p.in[p.at]
	switch c {
	case 'u':
		return p.unicode()
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	default:
		return 0, p.unexpected("in string escape code")
	}
	p.at++
	return rune(c), nil
}

// unicode reads four hexadecimal digits after \u, or two times for a surrogate pair.
func (p *parser) unicode() (rune, error) {
	r, err := p.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if after := p.at; after+1 < len(p.in) && p.in[after] == '\\' && p.in[after+1] == 'u' {
		p.at++
		low, err := p.hex()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, nil
		}
		p.at = after
	}
	return utf8.RuneError, nil
}

func (p *parser) hex() (r rune, err error) {
	for range 4 {
		if p.at++; p.at >= len(p.in) {
			return 0, p.unexpected("")
		}
		c := p.in[p.at]
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' <= 5:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, p.unexpected("in \\u hexadecimal character escape")
		}
		r = r<<4 | rune(c)
	}
	p.at++
	return r, nil
}
