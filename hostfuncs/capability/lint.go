package capability

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxCompared is how many times two rules are compared, which takes a second or
// two. Two thousand patterns of one beginning come near to it; rules without a
// pattern don't.
const maxCompared = 4_000_000

// Check looks for rules that have no effect, and for those that allow more or
// less than they seem to. What it finds is so; that it finds nothing proves
// nothing.
func Check(p *Policy) []Finding { return CheckIn(p, nil) }

// CheckIn is [Check] with a look at the project: isDirectory tells whether a
// path that a rule names is a directory there.
func CheckIn(p *Policy, isDirectory func(path string) bool) []Finding {
	c := checker{policy: p, isDirectory: isDirectory, lists: make(map[listID][]*coverIndex), confined: make(map[string]bool)}
	for _, l := range p.lists {
		id := listID{l.Provider, l.Key, l.Deny}
		c.lists[id] = append(c.lists[id], newCoverIndex(l))
	}
	for _, l := range p.lists {
		for _, rule := range l.Rules {
			if !c.without(l, rule) && !l.Deny {
				c.open(l, rule)
				c.grants(l, rule)
			}
		}
	}
	for _, l := range p.values {
		c.machine(l)
	}
	c.writable()
	c.accept()
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Name, b.Name)) })
	return c.findings
}

type checker struct {
	policy      *Policy
	isDirectory func(path string) bool
	lists       map[listID][]*coverIndex
	confined    map[string]bool // by provider, see confines
	compared    int
	findings    []Finding
}

// listID says where a list stands.
type listID struct {
	provider, key string
	deny          bool
}

// without finds a rule without which a policy says the same.
func (c *checker) without(l List, rule *Rule) bool {
	if c.compared > maxCompared {
		return false
	}
	found := c.never(l, rule) || c.covered(l, rule)
	if c.compared > maxCompared {
		c.find(l, rule, NotCompared, "make it several policies, or write fewer patterns",
			"is the last that is compared with others: too many patterns of this policy begin alike")
	}
	return found
}

// counted ends comparisons when there were too many.
func (c *checker) counted(compare func(*Rule) bool) func(*Rule) bool {
	return func(other *Rule) bool {
		c.compared++
		return c.compared <= maxCompared && compare(other)
	}
}

func (c *checker) find(l List, rule *Rule, name FindingName, hint, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Pos: rule.Pos, Provider: l.Provider, Key: l.Key, Rule: rule.Text, ruleKey: rule.key(), Name: name, Severity: severities[name],
		Message: fmt.Sprintf("%s of %s: rule %q ", l.Key, l.Provider, rule.Text) + fmt.Sprintf(format, args...), Hint: hint,
	})
}

// holding lists the lists that hold wherever l does: of the same provider, or
// of all.
func (c *checker) holding(l List, key string, deny bool) []*coverIndex {
	own := c.lists[listID{l.Provider, key, deny}]
	if l.Provider == anyProvider {
		return own
	}
	return append(own[:len(own):len(own)], c.lists[listID{anyProvider, key, deny}]...)
}

// never finds a rule that can't have an effect.
func (c *checker) never(l List, rule *Rule) bool {
	if l.Deny {
		return false
	}
	denied := c.counted(func(deny *Rule) bool { return denies(l.Key, deny, rule) })
	if deny := firstOf(c.holding(l, l.Key, true), deniedTexts(l.Key, rule), denied); deny != nil {
		c.find(l, rule, NeverMatches, "remove one of the two", "allows nothing: %q denies all of it%s", deny.Text, at(deny.Pos))
		return true
	}
	if digest := c.wantsDigest(l); digest != nil && !canHaveDigest(rule.Text) {
		c.find(l, rule, NeverMatches, "write it with @sha256:*, or with one digest", "allows nothing: it has no digest, and %q wants one%s", digest.Text, at(digest.Pos))
		return true
	}
	if l.Key == "env.pass" && strings.Contains(rule.Text, "*") && isDangerousPattern(rule.Text) {
		c.find(l, rule, NeverMatches, "name each variable that is meant", "passes nothing: all that it matches has to be named in full")
		return true
	}
	return false
}

// wantsDigest is the rule that wants what a list of base images allows to have
// a digest.
func (c *checker) wantsDigest(l List) *Rule {
	for _, d := range c.policy.digests {
		if l.Key == "build.bases" && (d.provider == l.Provider || d.provider == anyProvider) {
			return d.rule
		}
	}
	return nil
}

// canHaveDigest tells whether a rule matches references with a digest.
func canHaveDigest(rule string) bool {
	return strings.ContainsAny(rule[strings.LastIndexByte(rule, '/')+1:], "*@")
}

// covered finds a rule that another one makes needless. Of two that match the
// same, the one that stands later is.
func (c *checker) covered(l List, rule *Rule) bool {
	texts := []string{coverText(l.Key, rule, l.Deny)}
	var other *Rule
	for _, list := range c.holding(l, l.Key, l.Deny) {
		other = first(other, list.first(texts, c.counted(func(other *Rule) bool {
			if other == rule || !covers(l.Key, l.Deny, other, rule) {
				return false
			}
			// Each of the two may cover the other.
			same := covers(l.Key, l.Deny, rule, other) && (list.Provider == l.Provider || l.Provider == anyProvider)
			return !same || other.Pos.Compare(rule.Pos) < 0
		})))
	}
	if other == nil {
		other = firstOf(c.implying(l), texts, c.counted(func(other *Rule) bool { return implies(l, other, rule) }))
	}
	if other != nil {
		c.find(l, rule, Covered, "remove it", "is covered by %q%s", other.Text, at(other.Pos))
	}
	return other != nil
}

// implying lists the lists of another key that say for l's key what l does.
func (c *checker) implying(l List) []*coverIndex {
	switch {
	case l.Key == "env.read":
		// What may be passed may be looked at, and what may not be passed not.
		return c.holding(l, "env.pass", l.Deny)
	case l.Key == "files.env" && !l.Deny && !c.deniesReading(l.Provider):
		// What may be read may be loaded, unless it is denied somewhere.
		return c.holding(l, "files.read", false)
	case l.Key == "files.list":
		// What commands may read or write with all below it they may list.
		return slices.Concat(c.holding(l, "files.read", false), c.holding(l, "files.write", false))
	}
	return nil
}

// implies tells whether a rule of one of the lists that [checker.implying] gives
// says what a rule of l does.
func implies(l List, other, rule *Rule) bool {
	if l.Key == "files.list" {
		return readsAll(other, rule)
	}
	return covers(l.Key, l.Deny, other, rule)
}

// deniesReading tells whether a rule that can hold together with those of a
// provider, or of any where it is all of them, denies files to be read.
func (c *checker) deniesReading(provider string) bool {
	if provider != anyProvider {
		lists := c.holding(List{Provider: provider}, "files.read", true)
		return slices.ContainsFunc(lists, func(l *coverIndex) bool { return len(l.Rules) > 0 })
	}
	return slices.ContainsFunc(c.policy.lists, func(l List) bool { return l.Key == "files.read" && l.Deny && len(l.Rules) > 0 })
}
