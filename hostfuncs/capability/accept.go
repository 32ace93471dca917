package capability

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Acceptance is an author's word that a finding is meant. It is bound to one
// finding of one rule, and changes no decision.
type Acceptance struct {
	Pos yamldoc.Pos
	// Finding, Provider, Key and Rule are those of the finding.
	Finding       FindingName
	Provider, Key string
	Rule          string
	// Reason is what the author says for it.
	Reason string

	ruleKey string
	id      acceptanceID
}

// acceptanceID is the one finding that an acceptance is bound to.
type acceptanceID struct {
	finding                FindingName
	provider, key, ruleKey string
}

// Acceptances are all of a policy file, in its order.
func (p *Policy) Acceptances() []Acceptance { return p.accepted }

// acceptKeys are the keys of an acceptance; each has to be there.
var acceptKeys = []string{"finding", "provider", "key", "rule", "reason"}

func (r *reader) accept(n *yamldoc.Node, p *Policy) {
	if n.Kind() != yamldoc.KindList {
		r.expected(n, "a list of accepted findings")
		return
	}
	seen := make(map[acceptanceID]int)
	for _, item := range n.Items() {
		a, ok := r.acceptance(item)
		if !ok {
			continue
		}
		if line, ok := seen[a.id]; ok {
			r.wrong(item, fmt.Sprintf("duplicate acceptance (first at line %d)", line), "remove one of the two")
			continue
		}
		seen[a.id] = a.Pos.Line
		p.accepted = append(p.accepted, a)
	}
}

func (r *reader) acceptance(n *yamldoc.Node) (Acceptance, bool) {
	before := len(r.problems)
	a := Acceptance{Pos: n.Pos()}
	r.mapping(n, "a mapping of "+strings.Join(acceptKeys, ", "), map[string]func(*yamldoc.Node){
		"finding":  func(n *yamldoc.Node) { a.Finding = FindingName(r.known(n, "finding", acceptable)) },
		"provider": func(n *yamldoc.Node) { a.Provider = r.acceptedProvider(n) },
		"key":      func(n *yamldoc.Node) { a.Key = r.known(n, "key", ruleKeys) },
		"rule":     func(*yamldoc.Node) {}, // how it is read depends on the key
		"reason": func(n *yamldoc.Node) {
			if a.Reason = strings.TrimSpace(n.Text()); n.Kind() != yamldoc.KindString {
				r.expected(n, "a reason in words")
			} else if a.Reason == "" {
				r.wrong(n, "is empty", "say why the finding is meant")
			}
		},
	})
	if n.Kind() != yamldoc.KindMap {
		return a, false
	}
	for _, key := range acceptKeys {
		if n.Get(key) == nil {
			r.wrong(n, key+" is required", "an accepted finding has "+strings.Join(acceptKeys, ", "))
		}
	}
	if rule := n.Get("rule"); rule != nil && a.Key != "" {
		r.acceptedRule(rule, &a)
	}
	a.id = acceptanceID{a.Finding, a.Provider, a.Key, a.ruleKey}
	return a, len(r.problems) == before
}

// acceptedRule reads the rule as it is read where it stands.
func (r *reader) acceptedRule(n *yamldoc.Node, a *Acceptance) {
	var rule *Rule
	switch a.Key {
	case "exec":
		rule = r.command(n)
	case "net.connect":
		rule = r.ports(n)
	case "net.listen":
		rule = r.listenPorts(n)
	default:
		rule = r.text(n)
	}
	if rule != nil {
		a.Rule, a.ruleKey = rule.Text, rule.key()
	}
}

func (r *reader) acceptedProvider(n *yamldoc.Node) string {
	if n.Kind() != yamldoc.KindString || n.Text() != anyProvider && !providerID.MatchString(n.Text()) {
		r.wrong(n, fmt.Sprintf("%q is not a provider ID", n.Text()), `use the ID below which the rule stands, or "*"`)
	}
	return n.Text()
}

// known reads one of many words.
func (r *reader) known(n *yamldoc.Node, what string, words []string) string {
	if n.Kind() == yamldoc.KindString && slices.Contains(words, n.Text()) {
		return n.Text()
	}
	hint := "known here: " + strings.Join(words, ", ")
	if near := abi.Nearest(n.Text(), words); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	r.wrong(n, fmt.Sprintf("unknown %s %q", what, n.Text()), hint)
	return ""
}

// acceptable are the findings that can be accepted: all but the one that says
// that an acceptance is not needed.
var acceptable = func() []string {
	var names []string
	for _, name := range FindingNames() {
		if name != UnusedAccept {
			names = append(names, string(name))
		}
	}
	return names
}()

// ruleKeys are the keys that a finding can be of.
var ruleKeys = func() []string {
	keys := []string{"exec"}
	for _, part := range parts {
		for _, key := range part.keys {
			keys = append(keys, part.name+"."+key)
		}
	}
	return append(keys, lists...)
}()

// accept marks the findings that the policy accepts, and finds the acceptances
// of what is not found.
func (c *checker) accept() {
	unused := make(map[acceptanceID]*Acceptance)
	for i, a := range c.policy.accepted {
		unused[a.id] = &c.policy.accepted[i]
	}
	all := maps.Clone(unused)
	for i := range c.findings {
		f := &c.findings[i]
		id := acceptanceID{f.Name, f.Provider, f.Key, f.ruleKey}
		f.Accepted = all[id]
		delete(unused, id)
	}
	for _, a := range unused {
		c.findings = append(c.findings, Finding{
			Pos: a.Pos, Provider: a.Provider, Key: a.Key, Rule: a.Rule, Name: UnusedAccept, Severity: severities[UnusedAccept],
			Message: fmt.Sprintf("accept: %s of %s: rule %q has no finding %s", a.Key, a.Provider, a.Rule, a.Finding),
			Hint:    "remove it, or name the finding and the rule as they are",
		})
	}
}
