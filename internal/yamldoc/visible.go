package yamldoc

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Visible reports whether a reader sees the character and recognises it.
func Visible(r rune) bool {
	return unicode.IsPrint(r) && r != unicode.ReplacementChar && termtext.HasShape(r)
}

// Word returns a foreign word for display in a line: it is quoted if its ends would not
// be visible, and escaped if it could look like another word or control a terminal.
func Word(word string) string {
	switch {
	case strings.ContainsFunc(word, func(r rune) bool { return !Visible(r) }):
		return strconv.QuoteToASCII(word)
	case word == "" || strings.ContainsAny(word, ` "`):
		return strconv.Quote(word)
	}
	return word
}

// Words returns [Word] of each.
func Words(words []string) []string {
	shown := make([]string, len(words))
	for i, word := range words {
		shown[i] = Word(word)
	}
	return shown
}
