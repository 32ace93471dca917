package explain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

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
