package capability

import (
	"errors"
	"strings"
)

// names finds rules for names, such as a variable's. A * stands for any
// characters.
type names struct {
	literal  map[string]*Rule
	patterns []*Rule
}

func (n *names) add(r *Rule) error {
	if r.Text == "" || strings.ContainsAny(r.Text, "= \t\n\x00") {
		return errors.New("is no name")
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

// find is the first rule that matches; with literal set, patterns don't count.
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
