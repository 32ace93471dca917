package yamldoc

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Visible tells whether one who reads a text sees that the character is there,
// and what it is.
func Visible(r rune) bool {
	return unicode.IsPrint(r) && r != unicode.ReplacementChar && termtext.HasShape(r)
}

// Word is a word of somebody else's as it is shown in a line: one can see where
// it ends, and that it is no other word. Nothing in it steers a terminal.
func Word(word string) string {
	switch {
	case strings.ContainsFunc(word, func(r rune) bool { return !Visible(r) }):
		return strconv.QuoteToASCII(word)
	case word == "" || strings.ContainsAny(word, ` "`):
		return strconv.Quote(word)
	}
	return word
}

// Words is [Word] for each of several.
func Words(words []string) []string {
	shown := make([]string, len(words))
	for i, word := range words {
		shown[i] = Word(word)
	}
	return shown
}
