// Package termtext makes text from a provider, a child process or a file safe to
// print: it removes what a terminal obeys, and what changes the order of the text
// on the screen.
package termtext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s without escape sequences, control characters, bidirectional
// formatting characters, characters that are invisible or look like a space, and
// invalid UTF-8. An emoji that joiners and variation selectors combine is split.
//
// Newlines and tabs stay. A carriage return before a newline is removed; any other
// becomes a newline, so that no line can be overwritten.
func Clean(s string) string {
	if isPlain(s) {
		return s
	}
	s = stripEscapes(s)
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.Map(func(r rune) rune {
		if keep(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
}

// Line returns s cleaned, on one line of at most limit runes. A cut is marked with an
// ellipsis.
func Line(s string, limit int) string {
	s = strings.Join(strings.Fields(Clean(s)), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < ' ' && c != '\n' && c != '\t') || c >= 0x7f {
			return false
		}
	}
	return true
}

func keep(r rune) bool {
	if r == '\n' || r == '\t' {
		return true
	}
	// Cf holds the bidirectional overrides and the zero-width characters, Zl
	// and Zp are line breaks that only some programs see.
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) && HasShape(r)
}

// HasShape is false for letters and marks that are invisible or look like a space,
// such as the Hangul filler, which make one text look like another:
// https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
func HasShape(r rune) bool {
	const brailleBlank = '\u2800'
	return r != brailleBlank && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// stripEscapes removes whole terminal sequences (ECMA-48: CSI, OSC and the
// other strings, short escapes), so that no "[31m" is left behind.
func stripEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != 0x1b {
			b.WriteByte(s[i])
			i++
			continue
		}
		i += escapeLen(s[i:])
	}
	return b.String()
}

// escapeLen returns the length of the sequence at the start of s, which is ESC.
func escapeLen(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
			if s[i] < 0x20 {
				return i
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(s); i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if s[i] == 0x1b {
				if i+1 < len(s) && s[i+1] == '\\' {
					return i + 2
				}
				return i
			}
			if s[i] == '\n' {
				return i
			}
		}
		return len(s)
	default:
		return shortLen(s)
	}
}

// shortLen is escapeLen for ESC, any number of characters from 0x20 to 0x2f, and one
// more (ISO 2022), as in ESC # 8 and ESC ( B.
func shortLen(s string) int {
	i := 1
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	if i < len(s) && s[i] >= 0x30 && s[i] <= 0x7e {
		i++
	}
	return i
}
