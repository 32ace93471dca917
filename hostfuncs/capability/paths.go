package capability

import (
	"errors"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// paths finds rules for paths in the project: * stands for any characters of
// one segment, a segment ** for any number of segments, including none.
type paths struct {
	tree tree
	// folded has the same rules, by fold.
	folded tree
}

// maxDeep keeps one pattern from taking time that grows faster than a square.
const maxDeep = 2

var errManyDeep = errors.New("has more than two **")

func (p *paths) add(r *Rule) error {
	words := pathWords(path.Clean(r.Text))
	switch {
	case r.Text == "":
		return errors.New("is empty")
	case path.IsAbs(r.Text):
		return errors.New("begins with /: paths are relative to the project directory")
	case slices.Contains(strings.Split(r.Text, "/"), ".."):
		return errors.New("has .. in it, which could leave the project directory: write the path without")
	}
	if err := p.folded.insertDeep(foldedWords(words), r); err != nil {
		return err
	}
	return p.tree.insertDeep(words, r)
}

// allows finds rules for the path as it is written.
func (p *paths) allows(name string) *Rule { return p.tree.find(pathWords(name), glob) }

// denies finds rules for all paths that may be the same one: on many file
// systems SECRET is the file that a rule denies as secret.
func (p *paths) denies(name string) *Rule {
	return p.folded.find(foldedWords(pathWords(name)), glob)
}

func foldedWords(words []string) []string {
	folded := make([]string, len(words))
	for i, word := range words {
		folded[i] = fold(word)
	}
	return folded
}

// pathWords are a path's segments; the project directory itself has none, so that
// ** matches it and * does not.
func pathWords(p string) []string {
	if p == "." {
		return nil
	}
	return strings.Split(p, "/")
}

// fold is the same for all names that are one on some file system: on macOS and
// Windows SECRET is secret, and on macOS é may be one letter or two. Rules that
// deny are found by it.
func fold(name string) string { return strings.Map(foldRune, norm.NFD.String(name)) }

// foldRune is the same for all letters that differ in case alone. Some have more
// than an upper and a lower case, such as k and the sign for kelvin.
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
