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

// variables finds rules for the names of variables and arguments.
type variables struct{ names }

func (v *variables) add(r *Rule) error {
	if !isName(r.Text) {
		return errors.New("is no name: it is empty, or has = or NUL in it")
	}
	return v.names.add(r)
}
