package termtext

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Mark returns s with characters made visible that look like Latin letters and are
// not. It is for text that users decide by: names of programs, files and providers.
//
//   - In a word with Latin letters, each letter of another script is replaced by its
//     number: g<U+0435>neric.
//   - Words of one other script stay, followed by its name: адрес сервера<Cyrillic>.
//     They can be read, and сору<Cyrillic> is not mistaken for the command copy.
//   - Variants of ASCII letters, digits and signs are always replaced by their
//     numbers, as is what looks like the signs of commands and paths: fullwidth and
//     mathematical letters, dashes, slashes.
//
// Latin letters with accents stay. The caller cleans s first.
func Mark(s string) string {
	if isPlain(s) {
		return s
	}
	var m marker
	for rest := s; rest != ""; {
		n := strings.IndexFunc(rest, func(r rune) bool { return !inWord(r) })
		if n < 0 {
			n = len(rest)
		}
		if n > 0 {
			m.word(rest[:n])
			rest = rest[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		m.sign(r)
		rest = rest[size:]
	}
	m.name()
	return m.out.String()
}

func inWord(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) }

// marker writes a text. It writes the name of another script after the last of its
// words.
type marker struct {
	out    strings.Builder
	script string // of the last words, empty once its name is written
	since  string // the text after these words
}

// name writes the name of the script that ended.
func (m *marker) name() {
	if m.script != "" {
		m.out.WriteString("<" + m.script + ">" + m.since)
	}
	m.script, m.since = "", ""
}

func (m *marker) sign(r rune) {
	switch {
	case r == '\n':
		m.name()
		m.add("\n")
	case isASCII(r) || !looksLikeSign(r):
		m.add(string(r))
	default:
		m.add(number(r))
	}
}

func (m *marker) word(word string) {
	script, whole := scriptOf(word)
	if script == "" && whole {
		if strings.ContainsFunc(word, isLatin) {
			m.name()
		}
		m.add(word)
		return
	}
	if !whole {
		m.name()
		m.add(numbered(word))
		return
	}
	if m.script != "" && !sameLanguage(m.script, script) {
		m.name()
	}
	m.out.WriteString(m.since + word)
	m.script, m.since = cmp.Or(m.script, script), ""
}

// add writes text without a script of its own.
func (m *marker) add(text string) {
	if m.script != "" {
		m.since += text
		return
	}
	m.out.WriteString(text)
}

// numbered writes a word with the numbers of its letters that are not Latin.
func numbered(word string) string {
	var b strings.Builder
	for _, r := range word {
		if isASCII(r) || isLatin(r) || unicode.Is(unicode.M, r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(number(r))
	}
	return b.String()
}

func number(r rune) string { return fmt.Sprintf("<U+%04X>", r) }

func isASCII(r rune) bool { return r < unicode.MaxASCII }

// together are scripts that one language combines.
var together = []string{"Han", "Hiragana", "Katakana", "Bopomofo", "Hangul"}

func sameLanguage(a, b string) bool {
	return a == b || slices.Contains(together, a) && slices.Contains(together, b)
}

// scriptOf returns the script of a word's letters, the first one if a language
// combines several, empty for Latin. A word is not whole if it mixes scripts or has
// variants of Latin letters.
func scriptOf(word string) (script string, whole bool) {
	latin, loose := false, false
	for _, r := range word {
		switch {
		case isASCII(r) && !unicode.IsLetter(r), unicode.Is(unicode.M, r):
			continue
		case isLatin(r):
			latin = true
			continue
		case isDisguised(r):
			return "", false
		}
		switch of := scriptName(r); {
		case of == "":
			loose = true
		case script == "":
			script = of
		case !sameLanguage(script, of):
			return "", false
		}
	}
	if latin && (script != "" || loose) || loose && script == "" {
		return "", false
	}
	return script, true
}

// scriptName is empty for letters of several scripts.
func scriptName(r rune) string {
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) && name != "Common" && name != "Inherited" {
			return name
		}
	}
	return ""
}

// distinct are Latin letters without a base letter that look like no other letter.
const distinct = "ßæœøłđðþħŋŧẞÆŒØŁĐÐÞĦŊŦ"

// isLatin reports whether a letter is an ASCII letter, with or without accents, or
// cannot be mistaken for one.
func isLatin(r rune) bool {
	for _, base := range norm.NFD.String(string(r)) {
		return isASCII(base) && unicode.IsLetter(base) || strings.ContainsRune(distinct, base)
	}
	return false
}

// isDisguised reports whether a letter or digit is a variant of an ASCII one
// (fullwidth, mathematical, a Roman numeral), or a Latin letter that looks like one,
// such as the dotless i.
func isDisguised(r rune) bool {
	shape := norm.NFKC.String(string(r))
	return !strings.ContainsFunc(shape, func(r rune) bool { return !isASCII(r) }) || unicode.Is(unicode.Latin, r)
}

// looksLikeSign reports whether a character looks like an ASCII sign that commands
// and paths have.
func looksLikeSign(r rune) bool {
	shape := norm.NFKC.String(string(r))
	return len(shape) == 1 || unicode.In(r, unicode.Pd, unicode.Sm, unicode.Sk)
}
