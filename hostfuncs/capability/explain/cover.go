package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// coverIndex finds the rules of a list that may cover another rule, so that only
// those are compared with it, see [capability.Key.SearchText].
type coverIndex struct {
	capability.List
	key     *capability.Key
	literal map[string][]*capability.Rule
	heads   map[string][]*capability.Rule
	lengths []int // of heads
}

func newCoverIndex(l capability.List) *coverIndex {
	x := &coverIndex{List: l, key: capability.KeyOf(l.Key), literal: make(map[string][]*capability.Rule), heads: make(map[string][]*capability.Rule)}
	for _, rule := range l.Rules {
		text := x.key.SearchText(l.Deny, rule)
		head, _, pattern := strings.Cut(text, "*")
		if !pattern {
			x.literal[text] = append(x.literal[text], rule)
			continue
		}
		// a/** covers a too, and "ls **" covers "ls".
		head = strings.TrimRight(head, "/\x00")
		x.heads[head] = append(x.heads[head], rule)
	}
	for head := range x.heads {
		x.lengths = append(x.lengths, len(head))
	}
	slices.Sort(x.lengths)
	x.lengths = slices.Compact(x.lengths)
	return x
}

// first is the first of the list's rules that covers a text, or one of some
// that are the same.
func (x *coverIndex) first(texts []string, covers func(*capability.Rule) bool) *capability.Rule {
	var found *capability.Rule
	look := func(rules []*capability.Rule) {
		if i := slices.IndexFunc(rules, covers); i >= 0 {
			found = earlier(found, rules[i])
		}
	}
	for _, text := range texts {
		look(x.literal[text])
		for _, n := range x.lengths {
			if n > len(text) {
				break
			}
			look(x.heads[text[:n]])
		}
	}
	return found
}

// firstOf is the first of several lists' rules that covers.
func firstOf(lists []*coverIndex, texts []string, covers func(*capability.Rule) bool) *capability.Rule {
	var found *capability.Rule
	for _, list := range lists {
		found = earlier(found, list.first(texts, covers))
	}
	return found
}

// earlier is the first of two rules in their file.
func earlier(a, b *capability.Rule) *capability.Rule {
	if a == nil || b != nil && cmp.Or(b.Pos.Compare(a.Pos), cmp.Compare(b.Text, a.Text)) < 0 {
		return b
	}
	return a
}

// Miss is a rule that nearly allows a claim.
type Miss struct {
	// Key is the key of the rule, such as env.pass.
	Key  string
	Rule string
	Pos  yamldoc.Pos
	// Why is what keeps it from allowing the claim.
	Why string

	score int // how near it is; 0 is not near
}

// Near lists rules of a policy that nearly allow a part of a claim that the
// policy does not allow, the nearest first, at most limit.
func Near(p *capability.Policy, c capability.Claim, limit int) []Miss {
	if p == nil {
		return nil
	}
	var misses []Miss
	for _, part := range c.Parts() {
		if capability.Decide([]*capability.Policy{p}, part.Claim).Allowed {
			continue
		}
		for _, l := range p.Lists() {
			if l.Deny || !slices.Contains(part.Keys, l.Key) {
				continue
			}
			for _, rule := range l.Rules {
				misses = append(misses, missOf(part, l, rule, c.Provider))
			}
		}
	}
	misses = slices.DeleteFunc(misses, func(m Miss) bool { return m.score == 0 })
	slices.SortStableFunc(misses, func(a, b Miss) int { return cmp.Or(cmp.Compare(b.score, a.score), a.Pos.Compare(b.Pos)) })
	misses = slices.CompactFunc(misses, func(a, b Miss) bool { return a.Pos == b.Pos && a.Rule == b.Rule })
	return misses[:min(limit, len(misses))]
}

// missOf compares a rule with a part that is not allowed.
func missOf(part capability.Part, l capability.List, rule *capability.Rule, provider string) Miss {
	m := Miss{Key: l.Key, Rule: rule.Text, Pos: rule.Pos}
	key := capability.KeyOf(l.Key)
	switch matches := key.Matches(part, rule); {
	case matches && !l.For(provider):
		m.score, m.Why = 90, fmt.Sprintf("it is a rule for %s, not for %s", l.Provider, provider)
	case matches || !l.For(provider):
		// Another rule denies what this one allows.
	default:
		m.score, m.Why = key.Miss(part, rule)
	}
	return m
}
