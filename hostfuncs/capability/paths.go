package capability

import (
	"errors"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// paths finds rules for paths in the project: * matches any characters of
// one segment, a segment ** any number of segments, including none.
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

// Subtree is a file, or with Below a directory with all that is in it. Path is
// clean and relative to the project, "." is the project.
type Subtree struct {
	Path  string
	Below bool
}

// subtrees leaves out other patterns, which grant commands nothing.
func subtrees(rules []*Rule) []Subtree {
	var all []Subtree
	for _, r := range rules {
		if s, ok := ParseSubtree(r.Text); ok {
			all = append(all, s)
		}
	}
	return all
}

// ParseSubtree reads a rule for a file or for a whole directory, all that commands
// can be given. It is false for other patterns.
func ParseSubtree(pattern string) (Subtree, bool) {
	words := pathWords(path.Clean(pattern))
	below := len(words) > 0 && words[len(words)-1] == deep
	if below {
		words = words[:len(words)-1]
	}
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "*") }) {
		return Subtree{}, false
	}
	return Subtree{Path: path.Join(append([]string{"."}, words...)...), Below: below}, true
}

// Reaches reports whether the file or directory is at a path, in it, or above it. On
// some systems the case of letters makes no difference.
func (s Subtree) Reaches(other Subtree) bool {
	return strings.EqualFold(s.Path, other.Path) || s.Below && (s.Path == "." || isUnder(s.Path, other.Path)) || other.Below && isUnder(other.Path, s.Path)
}

// isUnder reports whether a path is in a directory.
func isUnder(dir, name string) bool {
	return len(name) > len(dir) && name[len(dir)] == '/' && strings.EqualFold(name[:len(dir)], dir)
}

// Grant is the line that allows a directory or file of the project to commands.
// Where no rule can name it exactly, it is the nearest directory above that a rule
// can name.
func (s Subtree) Grant(key string) Grant {
	s = s.Nameable()
	text := s.Path
	if s.Below {
		text = path.Join(text, deep)
	}
	return Grant{Key: key, Rule: yamldoc.Quote(text)}
}

// ListGrant is the line that lets commands list a directory of the project and those
// below it, or the nearest directory above that can be written in a rule.
func (s Subtree) ListGrant() Grant {
	return Grant{Key: "files.list", Rule: yamldoc.Quote(s.Nameable().Path)}
}

// Nameable is a file or directory for which there can be a rule, or else the nearest
// directory above that there can be one for, with all that is in it.
func (s Subtree) Nameable() Subtree {
	for strings.Contains(s.Path, "*") || !utf8.ValidString(s.Path) {
		s = Subtree{Path: path.Dir(s.Path), Below: true}
	}
	return s
}
