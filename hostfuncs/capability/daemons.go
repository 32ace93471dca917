package capability

import (
	"errors"
	"slices"
	"strings"
)

// daemons are rules for commands that may keep running after the run. A rule is a
// program's name and all of its arguments: a pattern would let a command leave
// behind whatever it likes.
type daemons []*Rule

func (d *daemons) add(r *Rule) error {
	switch {
	case len(r.words) == 0 || r.words[0] == "":
		return errors.New("names no program")
	case !isBare(r.words[0]):
		return errors.New("names a file: a daemon is named as its program is in PATH")
	case r.sha256 != "":
		return errors.New("pins a program: pin the command of exec that starts it")
	case slices.ContainsFunc(r.words, func(word string) bool { return strings.Contains(word, "*") }):
		return errors.New("has a pattern: a daemon is named word by word")
	}
	*d = append(*d, r)
	return nil
}

func (d daemons) find(argv []string) *Rule {
	var found *Rule
	for _, r := range d {
		if slices.Equal(r.words, argv) {
			found = first(found, r)
		}
	}
	return found
}

// AllowDaemon allows a command, word by word, to keep running after the run.
func AllowDaemon(argv []string) Rule {
	r := Rule{Text: quoteWords(argv), words: slices.Clone(argv)}
	r.apply = func(s *section) error { return s.daemons.add(&r) }
	return r
}

// Daemons picks, of the commands that a provider asks to leave running, those that
// every policy allows. Without a policy there are none.
func Daemons(policies []*Policy, provider string, asked [][]string) [][]string {
	var granted [][]string
	for _, argv := range asked {
		allows := func(p *Policy) bool {
			return p != nil && (p.open || slices.ContainsFunc(p.of(provider), func(s *section) bool { return s.daemons.find(argv) != nil }))
		}
		if len(policies) > 0 && !slices.ContainsFunc(policies, func(p *Policy) bool { return !allows(p) }) {
			granted = append(granted, argv)
		}
	}
	return granted
}

// daemon settles one command that may keep running.
func (e *evaluation) daemon(argv []string) {
	allow, _ := e.find(func(s *section) (*Rule, *Rule) { return s.daemons.find(argv), nil })
	e.settle(allow, nil, func() Grant {
		grant, ok := grantExec(&Exec{Argv: argv})
		if strings.Contains(grant.Rule, "*") || !ok {
			e.cannot("no rule can name a daemon with a * among its words, or one that is not in PATH")
		}
		return Grant{Key: "daemons", Rule: grant.Rule}
	})
}
