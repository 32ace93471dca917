package capability

import (
	"fmt"
	"strings"

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
	switch {
	case d.Allowed && d.Rule == "":
		return "allowed by " + d.Layer
	case d.Allowed:
		return fmt.Sprintf("allowed by %q%s", d.Rule, at(d.Pos))
	case d.Rule != "":
		return fmt.Sprintf("denied by %q%s", d.Rule, at(d.Pos))
	case d.Layer == "":
		return "no policy allows it"
	}
	reason := fmt.Sprintf("no rule of %s allows it", d.Layer)
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
	if len(policies) == 0 {
		e := evaluation{claim: &c}
		e.run()
		return Decision{Missing: e.missing}
	}
	var decided *evaluation
	for _, p := range policies {
		e := evaluation{claim: &c, sections: p.of(c.Provider)}
		if p != nil {
			e.layer = p.Name
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
	claim    *Claim
	layer    string
	sections []*section

	allowed *Rule // the first rule that a part of the claim needed
	denied  *Rule
	missing []Grant
	empty   bool
	why     string
}

// rank orders what evaluations say: a rule that denies, then something
// missing, then all allowed.
func (e *evaluation) rank() int {
	switch {
	case e.denied != nil:
		return 0
	case e.empty || len(e.missing) > 0:
		return 1
	default:
		return 2
	}
}

func (e *evaluation) before(o *evaluation) bool {
	if e.rank() != o.rank() {
		return e.rank() < o.rank()
	}
	if e.layer != o.layer {
		return e.layer < o.layer
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
	if e.rank() == 1 {
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
	e.empty = c.Exec == nil && len(c.Env) == 0 && len(c.Files) == 0 && c.Build == nil && !c.Log
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
	}
	if allow != nil {
		e.allowed = first(e.allowed, allow)
		return
	}
	if deny == nil {
		e.lacks(grant())
	}
}

func (e *evaluation) exec(x *Exec) {
	if len(x.Argv) == 0 {
		e.empty = true
		return
	}
	var allow, deny *Rule
	for _, s := range e.sections {
		allow = first(first(allow, s.findExact(x)), s.exec.allow.findAllow(x))
		deny = first(deny, s.exec.deny.findDeny(x))
	}
	e.settle(allow, deny, func() Grant { return grantExec(x) })
}

func (s *section) findExact(x *Exec) *Rule {
	for _, exact := range s.exact {
		if exact.dir == x.Dir && equal(exact.argv, x.Argv) {
			return exact.rule
		}
	}
	return nil
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (e *evaluation) env(use EnvUse) {
	if use.Name == "" || strings.ContainsAny(use.Name, "=\x00") {
		e.empty = true
		e.why = fmt.Sprintf("%q is no name of a variable", use.Name)
		return
	}
	why, hazard := "", false
	if use.Use == Set {
		// What the host passes on unseen was named by the user.
		why, hazard = Dangerous(use.Name)
	}
	var allow, deny *Rule
	for _, s := range e.sections {
		allow = first(allow, s.pass.allow.find(use.Name, hazard))
		deny = first(deny, s.pass.deny.find(use.Name, false))
		if use.Use == Look {
			allow = first(allow, s.look.allow.find(use.Name, false))
			deny = first(deny, s.look.deny.find(use.Name, false))
		}
	}
	e.settle(allow, deny, func() Grant {
		if hazard {
			e.why = use.Name + " must be named in full, since " + why
		}
		if use.Use == Look {
			return Grant{Key: "env.read", Rule: quoteYAML(use.Name)}
		}
		return Grant{Key: "env.pass", Rule: quoteYAML(use.Name)}
	})
}

func (e *evaluation) file(use FileUse) {
	var allow, deny *Rule
	key := "files.read"
	for _, s := range e.sections {
		files := &s.read
		if use.Use == Write {
			files, key = &s.write, "files.write"
		}
		allow, deny = first(allow, files.allow.findPath(use.Path)), first(deny, files.deny.findPath(use.Path))
	}
	if use.Use == Write {
		key = "files.write"
	}
	e.settle(allow, deny, func() Grant { return Grant{Key: key, Rule: quoteYAML(use.Path)} })
}
