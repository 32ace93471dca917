package capability

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

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

// Reaches tells whether the file or directory is at a path, in it, or above it. On
// some systems the case of letters makes no difference.
func (s Subtree) Reaches(other Subtree) bool {
	return strings.EqualFold(s.Path, other.Path) || s.Below && (s.Path == "." || isUnder(s.Path, other.Path)) || other.Below && isUnder(other.Path, s.Path)
}

// isUnder tells whether a path is in a directory.
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
