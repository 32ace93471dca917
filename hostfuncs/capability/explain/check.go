package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// maxCompared is how many times two rules are compared, which takes a second or
// two. Two thousand patterns with one beginning come near to it; rules without a
// pattern do not.
const maxCompared = 4_000_000

// checks are what is checked of the rules of one key, besides whether another
// rule covers or denies them.
type checks struct {
	// never says why a rule has no effect, and what to do; empty where it has one.
	never func(c *checker, l capability.List, rule *capability.Rule) (hint, why string)
	// allowed looks at a rule that allows and has an effect.
	allowed func(c *checker, l capability.List, rule *capability.Rule)
	// implying are lists of other keys that can allow or deny the same, and
	// implies reports whether a rule of them does.
	implying func(c *checker, l capability.List) []*coverIndex
	implies  func(l capability.List, other, rule *capability.Rule) bool
}

// checksOf is the table of the keys with checks of their own.
func checksOf(key string) checks {
	switch key {
	case "exec":
		return checks{allowed: (*checker).openProgram}
	case "env.pass":
		return checks{never: dangerousPattern}
	case "env.read":
		return checks{implying: passedVariables, implies: sameRule}
	case "files.read", "files.write":
		return checks{allowed: (*checker).grantsNothing}
	case "files.env":
		return checks{implying: readFiles, implies: sameRule}
	case "files.list":
		return checks{implying: usedDirectories, implies: func(_ capability.List, other, rule *capability.Rule) bool { return capability.Lists(other, rule) }}
	case "build.bases":
		return checks{never: withoutDigest}
	case "build.network":
		return checks{allowed: hostNetwork}
	case "sockets":
		return checks{allowed: dockerSocket}
	}
	return checks{}
}

// Check looks for rules that have no effect, and for those that allow more or
// less than they seem to. Each finding is true; a policy without findings can
// still have such rules. isDirectory reports whether a path that a rule names is a
// directory of the project; nil does not look.
func Check(p *capability.Policy, isDirectory func(path string) bool) []Finding {
	c := checker{
		policy: p, isDirectory: isDirectory, lists: make(map[listID][]*coverIndex), confined: make(map[string]bool), idle: make(map[*capability.Rule]bool),
	}
	for _, l := range p.Lists() {
		id := listID{l.Provider, l.Key, l.Deny}
		c.lists[id] = append(c.lists[id], newCoverIndex(l))
	}
	for _, l := range p.Lists() {
		of := checksOf(l.Key)
		for _, rule := range l.Rules {
			if !c.needless(of, l, rule) && !l.Deny && of.allowed != nil {
				of.allowed(&c, l, rule)
			}
		}
	}
	for _, l := range p.Values() {
		for _, rule := range l.Rules {
			checksOf(l.Key).allowed(&c, l, rule)
		}
	}
	c.protectedWrites()
	c.accept()
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Name, b.Name)) })
	return c.findings
}

type checker struct {
	policy      *capability.Policy
	isDirectory func(path string) bool
	lists       map[listID][]*coverIndex
	confined    map[string]bool           // by provider, see confines
	idle        map[*capability.Rule]bool // has no effect
	compared    int
	findings    []Finding
}

// listID says which list of a policy it is.
type listID struct {
	provider, key string
	deny          bool
}

func (c *checker) find(l capability.List, rule *capability.Rule, name capability.FindingName, hint, format string, args ...any) {
	c.findings = append(c.findings, Finding{
		Pos: rule.Pos, Provider: l.Provider, Key: l.Key, Rule: rule.Text, id: l.FindingID(name, rule), Name: name, Severity: severities[name],
		Message: fmt.Sprintf("%s of %s: rule %q ", l.Key, l.Provider, rule.Text) + fmt.Sprintf(format, args...), Hint: hint,
	})
}

// needless finds a rule without which a policy means the same.
func (c *checker) needless(of checks, l capability.List, rule *capability.Rule) bool {
	if c.compared > maxCompared {
		return false
	}
	found := c.never(of, l, rule) || c.covered(of, l, rule)
	if c.compared > maxCompared {
		c.find(l, rule, capability.NotCompared, "split the policy into several, or write fewer patterns",
			"is the last that is compared with others: too many patterns of this policy have the same beginning")
	}
	return found
}

// counted ends comparisons when there were too many.
func (c *checker) counted(compare func(*capability.Rule) bool) func(*capability.Rule) bool {
	return func(other *capability.Rule) bool {
		c.compared++
		return c.compared <= maxCompared && compare(other)
	}
}

// listsFor are the lists of a key for every provider that l is for: those of the
// same provider, and of all.
func (c *checker) listsFor(l capability.List, key string, deny bool) []*coverIndex {
	own := c.lists[listID{l.Provider, key, deny}]
	if l.Provider == anyProvider {
		return own
	}
	return append(own[:len(own):len(own)], c.lists[listID{anyProvider, key, deny}]...)
}

// anyProvider is the key of a policy for all providers.
const anyProvider = "*"

// never finds a rule that allows and cannot have an effect.
func (c *checker) never(of checks, l capability.List, rule *capability.Rule) bool {
	if l.Deny {
		return false
	}
	key := capability.KeyOf(l.Key)
	denied := c.counted(func(deny *capability.Rule) bool { return key.Denies(deny, rule) })
	hint, why := "", ""
	if deny := firstOf(c.listsFor(l, l.Key, true), key.DeniedBy(rule), denied); deny != nil {
		hint, why = "remove one of the two", fmt.Sprintf("allows nothing: %q denies all of it, %s", deny.Text, deny.Pos)
	} else if of.never != nil {
		hint, why = of.never(c, l, rule)
	}
	if why == "" {
		return false
	}
	c.idle[rule] = true
	c.find(l, rule, capability.NeverMatches, hint, "%s", why)
	return true
}

// covered finds a rule that another one makes needless. Of two that match the
// same, it is the later one.
func (c *checker) covered(of checks, l capability.List, rule *capability.Rule) bool {
	key := capability.KeyOf(l.Key)
	texts := []string{key.SearchText(l.Deny, rule)}
	var other *capability.Rule
	for _, list := range c.listsFor(l, l.Key, l.Deny) {
		other = earlier(other, list.first(texts, c.counted(func(other *capability.Rule) bool {
			if other == rule || !key.Covers(l.Deny, other, rule) {
				return false
			}
			// Each of the two may cover the other.
			same := key.Covers(l.Deny, rule, other) && (list.Provider == l.Provider || l.Provider == anyProvider)
			return !same || other.Pos.Compare(rule.Pos) < 0
		})))
	}
	if other == nil && of.implying != nil {
		other = firstOf(of.implying(c, l), texts, c.counted(func(other *capability.Rule) bool { return of.implies(l, other, rule) }))
	}
	if other != nil {
		c.find(l, rule, capability.Covered, "remove it", "is covered by %s", other)
	}
	return other != nil
}

// sameRule compares rules of two keys that match alike.
func sameRule(l capability.List, other, rule *capability.Rule) bool {
	return capability.KeyOf(l.Key).Covers(l.Deny, other, rule)
}

// accept marks the findings that the policy accepts, and finds the acceptances
// without a finding.
func (c *checker) accept() {
	unused := make(map[capability.FindingID]*capability.Acceptance)
	for i := range c.policy.Acceptances() {
		a := &c.policy.Acceptances()[i]
		unused[a.ID()] = a
	}
	all := maps.Clone(unused)
	for i := range c.findings {
		f := &c.findings[i]
		f.Accepted = all[f.id]
		delete(unused, f.id)
	}
	for _, a := range unused {
		c.findings = append(c.findings, Finding{
			Pos: a.Pos, Provider: a.Provider, Key: a.Key, Rule: a.Rule, Name: capability.UnusedAccept, Severity: severities[capability.UnusedAccept],
			Message: fmt.Sprintf("accept: %s of %s: rule %q has no finding %s", a.Key, a.Provider, a.Rule, a.Finding),
			Hint:    "remove it, or correct the finding or the rule",
		})
	}
}

// withoutDigest finds a rule for base images that matches none with a digest,
// where a rule requires one.
func withoutDigest(c *checker, l capability.List, rule *capability.Rule) (hint, why string) {
	for _, required := range c.policy.DigestRules() {
		if !required.For(l.Provider) {
			continue
		}
		if strings.ContainsAny(rule.Text[strings.LastIndexByte(rule.Text, '/')+1:], "*@") {
			return "", ""
		}
		return "write it with @sha256:*, or with one digest", fmt.Sprintf("allows nothing: it has no digest, and %q requires one, %s", required.Rules[0].Text, required.Rules[0].Pos)
	}
	return "", ""
}

// hostNetwork finds builds with the network of this machine.
func hostNetwork(c *checker, l capability.List, rule *capability.Rule) {
	if rule.Text == "host" {
		c.find(l, rule, capability.HostNetwork, "use default or none", "lets the steps of a build reach what listens on the loopback of the machine that builds")
	}
}
