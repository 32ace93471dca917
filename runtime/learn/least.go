package learn

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// provider is one that claimed something.
type provider struct {
	id          string
	needing     []needy
	directories []capability.Grant
	// commands are the rules that its commands need, whatever it needs itself.
	commands []capability.Grant
	// unknown is why what its commands need isn't known, empty where it is.
	unknown string
	// old is what the policy that is added to says of it, nil for a new policy.
	old *oldSection
}

// watch takes in what the provider's commands used, and gives what is not learnt.
func (p *provider) watch(commands Commands, j *judge) found {
	used, ok := commands[p.id]
	switch {
	case !ok:
		p.unknown = "what commands used was not watched"
	case len(used.Missed) > 0:
		p.unknown = strings.Join(used.Missed, "; ")
	case p.runs():
		f := j.commandRules(p.id, used.Uses)
		p.commands = f.rules
		return f
	}
	return found{}
}

// runs tells whether the provider ran commands.
func (p *provider) runs() bool {
	return slices.ContainsFunc(p.needing, func(n needy) bool { return n.claim.Exec != nil })
}

// least gives the rules that the claims need, of which none can be spared.
func (p *provider) least(j *judge) ([]capability.Grant, error) {
	p.directories = p.directoryRules(j)
	p.commands = p.old.lacks(p)
	rules := slices.Concat(p.directories, p.commands)
	for _, n := range p.needing {
		rules = append(rules, n.needs...)
	}
	rules = once(rules)
	for len(rules) > 0 {
		root, err := p.plant(rules, 0)
		if err != nil {
			return nil, err
		}
		c := cover{of: make([][]int, len(rules))}
		for _, n := range p.needing {
			c.take(root, n)
		}
		kept := c.spare(rules, p.commands)
		if !c.cut || len(kept) == len(rules) {
			return kept, nil
		}
		rules = kept
	}
	return nil, nil
}

// node is a policy of some of the rules, so that which of many rules allow a
// claim is found by halves.
type node struct {
	policy *capability.Policy
	rule   int // of a node without halves
	halves []*node
}

// plant makes the tree of policies of rules, the first of which has a number.
func (p *provider) plant(rules []capability.Grant, number int) (*node, error) {
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
		child, err := p.plant(half, number+i*middle)
		if err != nil {
			return nil, err
		}
		n.halves = append(n.halves, child)
	}
	return n, nil
}

// maxMet is how many of the rules that meet a need are looked for at a time,
// so that work is in step with the number of rules even where each of many
// meets the needs of all. With two or more, what can be spared is always found.
const maxMet = 8

// cover is which rules meet which needs. Needs are numbered over all claims.
type cover struct {
	of  [][]int // the needs that a rule meets
	met []int   // by need, how many rules meet it
	cut bool    // there may be more than maxMet of them
}

// take adds what a claim needs.
func (c *cover) take(root *node, n needy) {
	first := len(c.met)
	open := make([]int, len(n.needs))
	for i := range open {
		open[i] = i
	}
	c.met = append(c.met, make([]int, len(n.needs))...)
	c.search(root, n, first, open)
}

// search finds rules for those needs of a claim that are open; first is the
// number of the claim's first need.
func (c *cover) search(at *node, n needy, first int, open []int) {
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

// spare gives the rules without those whose needs the others meet. What meets
// few needs is spared first, and what is fixed never.
func (c *cover) spare(rules, fixed []capability.Grant) []capability.Grant {
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
