package learn

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// provider is a provider with its claims.
type provider struct {
	id          string
	demands     []demand
	directories []capability.Grant
	// commands are the rules that its commands need.
	commands []capability.Grant
	// unknown says why the needs of its commands are not known; empty if they are.
	unknown string
	// old is its section of the existing policy; nil for a new policy.
	old *oldSection
}

// watch adds the rules for what the provider's commands used, and returns the result.
func (p *provider) watch(commands Commands, j *judge) found {
	used, ok := commands[p.id]
	switch {
	case !ok:
		p.unknown = "commands were not watched"
	case len(used.Missed) > 0:
		p.unknown = strings.Join(used.Missed, "; ")
	case p.runs():
		f := j.commandRules(p.id, used.Uses)
		p.commands = f.rules
		return f
	}
	return found{}
}

// runs reports whether the provider ran commands.
func (p *provider) runs() bool {
	return slices.ContainsFunc(p.demands, func(n demand) bool { return n.claim.Exec != nil })
}

// least is the least set of rules that the claims need.
func (p *provider) least(j *judge) ([]capability.Grant, error) {
	p.directories = p.directoryRules(j)
	p.commands = p.old.missing(p)
	rules := slices.Concat(p.directories, p.commands)
	for _, n := range p.demands {
		rules = append(rules, n.needs...)
	}
	rules = once(rules)
	for len(rules) > 0 {
		root, err := p.tree(rules, 0)
		if err != nil {
			return nil, err
		}
		c := cover{of: make([][]int, len(rules))}
		for _, n := range p.demands {
			c.take(root, n)
		}
		kept := c.reduce(rules, p.commands)
		if !c.cut || len(kept) == len(rules) {
			return kept, nil
		}
		rules = kept
	}
	return nil, nil
}

// node is a policy of some rules and its two halves, to search for the rules that allow a
// claim.
type node struct {
	policy *capability.Policy
	rule   int // the number of the only rule, without halves
	halves []*node
}

// tree makes the node of rules; number is that of the first.
func (p *provider) tree(rules []capability.Grant, number int) (*node, error) {
	policy, err := parse("version: 1\nproviders:\n" + p.section(rules))
	if err != nil {
		return nil, err
	}
	n := &node{policy: policy, rule: number}
	if len(rules) == 1 {
		return n, nil
	}
	middle := len(rules) / 2
	for i, half := range [2][]capability.Grant{rules[:middle], rules[middle:]} {
		child, err := p.tree(half, number+i*middle)
		if err != nil {
			return nil, err
		}
		n.halves = append(n.halves, child)
	}
	return n, nil
}

// maxMet is the most rules that are searched for one need at a time. It bounds the work if
// many rules meet the needs of all claims. Two are enough to find what is superfluous.
const maxMet = 8

// cover says which rules meet which needs. Needs are numbered over all claims.
type cover struct {
	of  [][]int // the needs that a rule meets
	met []int   // by need, how many rules meet it
	cut bool    // there may be more than maxMet of them
}

// take adds what a claim needs.
func (c *cover) take(root *node, n demand) {
	first := len(c.met)
	open := make([]int, len(n.needs))
	for i := range open {
		open[i] = i
	}
	c.met = append(c.met, make([]int, len(n.needs))...)
	c.search(root, n, first, open)
}

// search finds rules for the open needs of a claim; first is the number of its first need.
func (c *cover) search(at *node, n demand, first int, open []int) {
	missing := capability.Decide([]*capability.Policy{at.policy}, n.claim).Missing
	open = slices.DeleteFunc(slices.Clone(open), func(i int) bool {
		return c.met[first+i] == maxMet || slices.Contains(missing, n.needs[i])
	})
	if len(open) == 0 {
		return
	}
	for _, half := range at.halves {
		c.search(half, n, first, open)
	}
	if at.halves != nil {
		return
	}
	for _, i := range open {
		c.of[at.rule] = append(c.of[at.rule], first+i)
		c.met[first+i]++
		c.cut = c.cut || c.met[first+i] == maxMet
	}
}

// reduce removes rules whose needs others meet, those that meet few needs first. It keeps
// all fixed rules.
func (c *cover) reduce(rules, fixed []capability.Grant) []capability.Grant {
	order := make([]int, len(rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(c.of[a]), len(c.of[b])) })
	var kept []capability.Grant
	for _, i := range order {
		if slices.Contains(fixed, rules[i]) || slices.ContainsFunc(c.of[i], func(need int) bool { return c.met[need] == 1 }) {
			kept = append(kept, rules[i])
			continue
		}
		for _, need := range c.of[i] {
			c.met[need]--
		}
	}
	return once(kept)
}
