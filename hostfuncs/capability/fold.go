package capability

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold is the same for all names that are one on some file system: there are
// those to which SECRET is secret, as on macOS and Windows, and those to which é
// is one letter or two, as on macOS. Rules that deny are found by it.
func fold(name string) string { return strings.Map(foldRune, norm.NFD.String(name)) }

// foldRune is the same for all letters that differ in case alone. There is more
// to it than upper and lower, such as the sign for kelvin.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return unicode.ToLower(r)
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}
