// Package termtext makes text from a provider, a child or a file safe to
// print: what a terminal would obey, or a reader would see in another order
// than it stands in, is taken out.
package termtext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s without control characters, escape sequences' introducers,
// bidirectional formatting characters, what shows as nothing or as a blank and
// is no space, and invalid UTF-8. An emoji that variation selectors and joiners
// make of several stays as these.
// Newlines and tabs stay; a carriage return before a newline goes, any other
// becomes a newline, so that no line can be written over.
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

// Line returns s cleaned and on one line of at most limit runes; what is cut
// is marked with an ellipsis.
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

// HasShape is false for letters and marks that show as nothing or as a blank,
// such as the Hangul filler; text with one in it is read as another text:
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

// escapeLen returns how many bytes the sequence at the start of s takes; s
// starts with ESC.
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

// shortLen is escapeLen for an escape of two characters, or of more where those
// between are 0x20 to 0x2f (ISO 2022), as in ESC # 8 and ESC ( B.
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
