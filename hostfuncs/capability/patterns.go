package capability

import (
	"errors"
	"path"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// names finds rules for names, such as a variable's. A * matches any
// characters.
type names struct {
	literal  map[string]*Rule
	patterns []*Rule
}

func (n *names) add(r *Rule) error {
	if r.Text == "" {
		return errors.New("is empty")
	}
	if strings.Contains(r.Text, "*") {
		n.patterns = append(n.patterns, r)
		return nil
	}
	if n.literal == nil {
		n.literal = make(map[string]*Rule)
	}
	n.literal[r.Text] = first(n.literal[r.Text], r)
	return nil
}

// find is the first rule that matches; with literal set, patterns do not count.
func (n *names) find(name string, literal bool) *Rule {
	found := n.literal[name]
	if literal {
		return found
	}
	for _, r := range n.patterns {
		if glob(r.Text, name) {
			found = first(found, r)
		}
	}
	return found
}

func (n *names) allows(name string) *Rule { return n.find(name, false) }
func (n *names) denies(name string) *Rule { return n.find(name, false) }

// glob matches a pattern in which * matches any characters, including none.
func glob(pattern, s string) bool {
	head, rest, ok := strings.Cut(pattern, "*")
	if !ok {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		part, more, ok := strings.Cut(rest, "*")
		if !ok {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}

// A rule covers another if it matches whatever the other does. The functions
// below may miss that two patterns are so related, and never say so of two that
// are not.

// globCovers reports whether one pattern matches all that another does. To glob, a *
// of the other is a character that only a * of the first matches.
func globCovers(a, b string) bool { return glob(a, b) }

// listCovers is globCovers for lists of words in which ** is any number of
// them.
func listCovers(a, b []string, covers func(a, b string) bool) bool {
	switch {
	case len(a) == 0:
		return len(b) == 0
	case a[0] == deep:
		return listCovers(a[1:], b, covers) || len(b) > 0 && listCovers(a, b[1:], covers)
	case len(b) == 0 || b[0] == deep:
		return false
	}
	return covers(a[0], b[0]) && listCovers(a[1:], b[1:], covers)
}

// strictCovers is globCovers for words as rules that allow match them: a
// pattern that begins with no - matches no word that does.
func strictCovers(a, b string) bool {
	if strings.HasPrefix(b, "-") && !strings.HasPrefix(a, "-") {
		return false
	}
	return globCovers(a, b)
}

// missText says what differs between a text and a rule.
func missText(text, rule string) (int, string) {
	dir := path.Clean(rule)
	switch {
	case strings.EqualFold(rule, text):
		return 70, "upper and lower case are different letters"
	case dir != "." && strings.HasPrefix(text, dir+"/"):
		return 60, "it is the directory itself; " + dir + "/** is all in it"
	case strings.Contains(rule, "*") && glob(rule, text):
		return 50, "its * crosses no slash"
	case yamldoc.Nearest(text, []string{rule}) != "":
		return 30, "it is another name"
	}
	return 0, ""
}
