package capability

import (
	"errors"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// daemons are the commands of an allowed program that may keep running after the
// run.
var daemons = family{
	keys: func() []Key {
		return []Key{{
			name: "daemons", rule: (*reader).command, index: func() index { return new(daemonRules) },
			parse: func(r *reader, k *Key, n *yamldoc.Node, s *section) {
				r.list(n, k, List{Key: k.name}, s.rulesOf(k).allow)
			},
		}}
	},
	fault: func(c *Claim) string {
		if slices.ContainsFunc(c.Exec.Daemons, func(argv []string) bool { return len(argv) == 0 || argv[0] == "" }) {
			return "it names a daemon without a program"
		}
		return ""
	},
	asked: func(c *Claim) bool { return c.Exec != nil && len(c.Exec.Daemons) > 0 },
	words: func(c *Claim, s *sentence) {
		if c.Exec == nil {
			return
		}
		for _, argv := range c.Exec.Daemons {
			s.does = append(s.does, "leaving "+quoteWords(argv))
		}
	},
	decide: func(e *evaluation) {
		if e.claim.Exec == nil {
			return
		}
		for _, argv := range e.claim.Exec.Daemons {
			e.daemon(argv)
		}
	},
}

// daemonRules finds rules for daemons. A rule is a program's name and all of its
// arguments: a pattern would let a command leave anything behind.
type daemonRules []*Rule

func (d *daemonRules) add(r *Rule) error {
	switch {
	case len(r.words) == 0 || r.words[0] == "":
		return errors.New("names no program")
	case !isBare(r.words[0]):
		return errors.New("names a file: name the daemon's program as in PATH")
	case r.sha256 != "":
		return errors.New("pins a program: pin the command of exec that starts it")
	case slices.ContainsFunc(r.words, func(word string) bool { return strings.Contains(word, "*") }):
		return errors.New("has a pattern: write a daemon's command word by word")
	}
	*d = append(*d, r)
	return nil
}

func (d *daemonRules) allows(text string) *Rule {
	var found *Rule
	for _, r := range *d {
		if quoteWords(r.words) == text {
			found = first(found, r)
		}
	}
	return found
}

func (d *daemonRules) denies(string) *Rule { return nil }

// AllowDaemon allows a command, word by word, to keep running after the run.
func AllowDaemon(argv []string) Rule {
	return made(quoteWords(argv), yamldoc.Pos{}, func(s *section, r *Rule) error {
		r.words = slices.Clone(argv)
		return s.rulesOf(KeyOf("daemons")).allow.add(r)
	})
}

// Daemons picks, of the commands that a provider asks to leave running, those that
// every policy allows. Without a policy there are none.
func Daemons(policies []*Policy, provider string, asked [][]string) [][]string {
	var granted [][]string
	for _, argv := range asked {
		allows := func(p *Policy) bool {
			return p != nil && (p.open || slices.ContainsFunc(p.of(provider), func(s *section) bool { return s.daemon(argv) != nil }))
		}
		if len(policies) > 0 && !slices.ContainsFunc(policies, func(p *Policy) bool { return !allows(p) }) {
			granted = append(granted, argv)
		}
	}
	return granted
}

func (s *section) daemon(argv []string) *Rule {
	allow, _ := s.find("daemons", quoteWords(argv))
	return allow
}

// daemon settles one command that may keep running.
func (e *evaluation) daemon(argv []string) {
	allow, _ := e.find(func(s *section) (*Rule, *Rule) { return s.daemon(argv), nil })
	e.settle(allow, nil, func() Grant {
		grant, ok := DaemonGrant(argv)
		if !ok {
			e.cannot("a rule cannot name a daemon with a * among its words, or one that is not in PATH")
		}
		return grant
	})
}

// DaemonGrant is the rule that allows a daemon. It is false for one that no rule can
// name.
func DaemonGrant(argv []string) (Grant, bool) {
	if len(argv) == 0 || argv[0] == "" || !isBare(argv[0]) {
		return Grant{}, false
	}
	grant, ok := grantExec(&Exec{Argv: argv})
	return Grant{Key: "daemons", Rule: grant.Rule}, ok && !strings.Contains(grant.Rule, "*")
}
