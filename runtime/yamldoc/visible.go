package yamldoc

import (
	"strconv"
	"strings"
	"unicode"
)

// Visible tells whether one who reads a text sees that the character is there,
// and what it is. There are letters and marks that show as nothing or as a
// blank, such as the Hangul filler; text with one in it is read as another
// text: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
func Visible(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.IsPrint(r) && r != brailleBlank && r != unicode.ReplacementChar &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
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
