package capability

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Decision is the answer to a claim, and why.
type Decision struct {
	Allowed bool
	// Layer says whose word decided, and Policy is its name; both are empty
	// when there is none.
	Layer  Layer
	Policy string
	// Rule is the text of the rule that decided, and Pos where it stands; both
	// empty where no rule allows the claim, or none was needed. Of a command that
	// is allowed it is the rule for the command, whatever its variables needed.
	Rule string
	Pos  yamldoc.Pos
	// Missing is what no rule allowed. It is empty where a rule denies.
	Missing []Grant

	why    string
	digest string // the policy's
}

// Reason says in a sentence why.
func (d Decision) Reason() string {
	reason := "no policy allows it"
	switch {
	case d.Allowed && d.Rule == "":
		return "allowed by " + d.Policy
	case d.Allowed:
		return fmt.Sprintf("allowed by %q%s", d.Rule, at(d.Pos))
	case d.Layer == Planned:
		return d.Policy + ": " + d.why
	case d.Rule != "":
		reason = fmt.Sprintf("denied by %q%s", d.Rule, at(d.Pos))
	case d.Layer == Asked:
		reason = "it is not among what the provider asks for"
	case d.Policy != "":
		reason = fmt.Sprintf("no rule of %s allows it", d.Policy)
	}
	if d.why != "" {
		reason += ": " + d.why
	}
	return reason
}

func at(pos yamldoc.Pos) string {
	if pos.Line == 0 {
		return ""
	}
	return ", " + pos.String()
}

// Decide compares a claim with the policies. All of them must allow it, and
// any rule that denies wins; without a policy, or without anything in the
// claim, it is denied. The order of policies and rules does not matter.
func Decide(policies []*Policy, c Claim) Decision {
	return Weigh(Explain(policies, c))
}

// Explain is what each policy by itself says of a claim, in their order.
// Without a policy it is what one that says nothing would, so that what is
// missing is known. There is always at least one answer.
func Explain(policies []*Policy, c Claim) []Decision {
	if why := c.fault(); why != "" {
		return []Decision{{why: why}}
	}
	if len(policies) == 0 {
		policies = []*Policy{nil}
	}
	said := make([]Decision, len(policies))
	for i, p := range policies {
		e := evaluation{claim: &c, sections: p.of(c.Provider)}
		if p != nil {
			e.layer, e.policy, e.digest = p.Layer, p.Name, p.Digest
		}
		if p == nil || !p.open {
			e.run()
		}
		said[i] = e.decision()
	}
	return said
}

// Weigh gives the answer that counts: a denial by a rule, then one for want of
// a rule, then, if all allow, the first layer's. Nothing said is a denial.
func Weigh(said []Decision) Decision {
	if len(said) == 0 {
		return Decision{}
	}
	return slices.MinFunc(said, compareDecisions)
}

func compareDecisions(a, b Decision) int {
	return cmp.Or(
		cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Layer.order(), b.Layer.order()), cmp.Compare(a.Policy, b.Policy),
		cmp.Compare(a.digest, b.digest), a.Pos.Compare(b.Pos), cmp.Compare(a.Rule, b.Rule),
	)
}

// rank orders decisions: a rule that denies, then something missing, then all
// allowed.
func (d Decision) rank() int {
	switch {
	case d.Allowed:
		return 2
	case d.Rule == "":
		return 1
	default:
		return 0
	}
}

// evaluation is one policy's view of a claim.
type evaluation struct {
	claim          *Claim
	layer          Layer
	policy, digest string
	sections       []*section

	allowed *Rule // the first rule that a part of the claim needed
	command *Rule // the one that its command needed, where it has one
	denied  *Rule
	missing []Grant
	// wanting is a rule that denies for want of something, and wants says of
	// what.
	wanting *Rule
	wants   string
	// why says more of what is missing; ungrantable is set where no rule can
	// be written that allows it.
	why         string
	ungrantable bool
}

func (e *evaluation) decision() Decision {
	d := Decision{Layer: e.layer, Policy: e.policy, digest: e.digest, why: e.why}
	rule := e.denied
	switch {
	case rule != nil && rule == e.wanting:
		d.why = e.wants
	case rule != nil:
		d.why = ""
	case e.ungrantable:
	case len(e.missing) > 0:
		d.Missing = e.missing
	default:
		d.Allowed, rule = true, cmp.Or(e.command, e.allowed)
	}
	if rule != nil {
		d.Rule, d.Pos = rule.Text, rule.Pos
	}
	return d
}

// run looks at every part of the claim.
func (e *evaluation) run() {
	c := e.claim
	if c.Exec != nil {
		e.exec(c.Exec)
		for _, argv := range c.Exec.Daemons {
			e.daemon(argv)
		}
	}
	for _, use := range c.Env {
		e.env(use)
	}
	for _, use := range c.Files {
		e.file(use)
	}
	if c.Build != nil {
		e.build(c.Build)
	}
	for _, use := range c.Net {
		e.net(use)
	}
	if c.Image != "" {
		e.part("build.tags", c.Image, func(s *section) (*Rule, *Rule) {
			return first(s.images.find(c.Image), s.tags.allow.find(c.Image)), s.tags.deny.findSame(c.Image)
		})
	}
	// A provider that a policy names may speak to the user, and see to what it
	// was allowed to start.
	if (c.Log || c.Own) && len(e.sections) == 0 {
		e.lacks(Grant{})
	}
}

func (e *evaluation) lacks(g Grant) { e.missing = append(e.missing, g) }

// want notes that a rule denies for want of something. The first of those for
// which it does is told.
func (e *evaluation) want(rule *Rule, why string) {
	e.denied = first(e.denied, rule)
	if e.wanting == nil {
		e.wanting, e.wants = rule, why
	}
}

// settle takes what was found for one part of the claim.
func (e *evaluation) settle(allow, deny *Rule, grant func() Grant) {
	if deny != nil {
		e.denied = first(e.denied, deny)
		return
	}
	if allow != nil {
		e.allowed = first(e.allowed, allow)
		return
	}
	e.lacks(grant())
}

// Said is a decision of what is no policy, such as a plan; why is empty where
// it allows.
func Said(layer Layer, name, rule, why string) Decision {
	return Decision{Allowed: why == "", Layer: layer, Policy: name, Rule: rule, why: why}
}
