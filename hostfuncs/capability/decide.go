package capability

import (
	"cmp"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// Decision is the answer to a claim, and why.
type Decision struct {
	Allowed bool
	// Layer is the policy that decided; empty when there is none.
	Layer string
	// Rule is the text of the rule that decided, and Pos where it stands; both
	// empty where no rule allows the claim, or none was needed.
	Rule string
	Pos  yamldoc.Pos
	// Missing is what no rule allowed. It is empty where a rule denies.
	Missing []Grant

	why string
}

// Reason says in a sentence why.
func (d Decision) Reason() string {
	reason := "no policy allows it"
	switch {
	case d.Allowed && d.Rule == "":
		return "allowed by " + d.Layer
	case d.Allowed:
		return fmt.Sprintf("allowed by %q%s", d.Rule, at(d.Pos))
	case d.Rule != "":
		return fmt.Sprintf("denied by %q%s", d.Rule, at(d.Pos))
	case d.Layer != "":
		reason = fmt.Sprintf("no rule of %s allows it", d.Layer)
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
	if why := c.fault(); why != "" {
		return Decision{why: why}
	}
	if len(policies) == 0 {
		// One that says nothing, so that what is missing is known.
		policies = []*Policy{nil}
	}
	var decided *evaluation
	for _, p := range policies {
		e := evaluation{claim: &c, sections: p.of(c.Provider)}
		if p != nil {
			e.layer, e.digest = p.Name, p.Digest
		}
		e.run()
		if decided == nil || e.before(decided) {
			decided = &e
		}
	}
	return decided.decision()
}

// evaluation is one policy's view of a claim.
type evaluation struct {
	claim         *Claim
	layer, digest string
	sections      []*section

	allowed *Rule // the first rule that a part of the claim needed
	denied  *Rule
	missing []Grant
	// why says more of what is missing; ungrantable is set where no rule can
	// be written that allows it.
	why         string
	ungrantable bool
}

// rank orders what evaluations say: a rule that denies, then something
// missing, then all allowed.
func (e *evaluation) rank() int {
	switch {
	case e.denied != nil:
		return 0
	case e.ungrantable || len(e.missing) > 0:
		return 1
	default:
		return 2
	}
}

func (e *evaluation) before(o *evaluation) bool {
	if e.rank() != o.rank() {
		return e.rank() < o.rank()
	}
	if c := cmp.Or(cmp.Compare(e.layer, o.layer), cmp.Compare(e.digest, o.digest)); c != 0 {
		return c < 0
	}
	mine, other := e.rule(), o.rule()
	return mine != other && first(mine, other) == mine
}

// rule is the one that decided, nil when none did.
func (e *evaluation) rule() *Rule {
	switch e.rank() {
	case 0:
		return e.denied
	case 2:
		return e.allowed
	}
	return nil
}

func (e *evaluation) decision() Decision {
	d := Decision{Layer: e.layer, why: e.why, Allowed: e.rank() == 2}
	if e.rank() == 1 && !e.ungrantable {
		d.Missing = e.missing
	}
	if rule := e.rule(); rule != nil {
		d.Rule, d.Pos = rule.Text, rule.Pos
	}
	return d
}

// run looks at every part of the claim.
func (e *evaluation) run() {
	c := e.claim
	if c.Exec != nil {
		e.exec(c.Exec)
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
	// A provider that a policy names may speak to the user.
	if c.Log && len(e.sections) == 0 {
		e.lacks(Grant{})
	}
}

func (e *evaluation) lacks(g Grant) { e.missing = append(e.missing, g) }

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
