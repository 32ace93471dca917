package capability

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Decision is the answer to a claim, and why.
type Decision struct {
	Allowed bool
	// Layer is that of the policy that decided, and Policy is its name; both are
	// empty when there is none.
	Layer  Layer
	Policy string
	// Rule is the text of the rule that decided, and Pos its place; both are
	// empty where no rule allows the claim, or none was needed. Of an allowed
	// command it is the rule for the command, not one for its variables.
	Rule string
	Pos  yamldoc.Pos
	// Missing are the rules that would allow the rest of the claim. It is empty
	// where a rule denies.
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
		reason = "the provider does not ask for it"
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
// any rule that denies wins. Without a policy, or with an empty claim, it is
// denied. The order of policies and rules does not matter.
func Decide(policies []*Policy, c Claim) Decision {
	return Weigh(Explain(policies, c))
}

// Explain is what each policy by itself says of a claim, in their order.
// Without a policy it is the answer of an empty one, which has the missing
// rules. There is always at least one answer.
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

// Weigh gives the answer that counts: a denial by a rule, then one because a rule
// is missing, then, if all allow, that of the first layer. No answer is a denial.
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
	// wanting is a rule that denies because something is missing, and wants says
	// what.
	wanting *Rule
	wants   string
	// why says more about what is missing; ungrantable is set where no rule can
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
	for _, f := range families() {
		if f.decide != nil {
			f.decide(e)
		}
	}
}

// miss notes that no rule allows a part of the claim.
func (e *evaluation) miss(g Grant) { e.missing = append(e.missing, g) }

// want notes that a rule denies because something is missing. The first reason is
// reported.
func (e *evaluation) want(rule *Rule, why string) {
	e.denied = first(e.denied, rule)
	if e.wanting == nil {
		e.wanting, e.wants = rule, why
	}
}

// settle notes the rules that were found for one part of the claim.
func (e *evaluation) settle(allow, deny *Rule, grant func() Grant) {
	if deny != nil {
		e.denied = first(e.denied, deny)
		return
	}
	if allow != nil {
		e.allowed = first(e.allowed, allow)
		return
	}
	e.miss(grant())
}

// cannot notes that no rule can allow a part of the claim.
func (e *evaluation) cannot(why string) { e.ungrantable, e.why = true, why }

// list is what the sections say together of a text, in the rules of a key.
func (e *evaluation) list(key, text string) (allow, deny *Rule) {
	return e.find(func(s *section) (*Rule, *Rule) { return s.find(key, text) })
}

// find is what the sections say together of one thing.
func (e *evaluation) find(find func(*section) (allow, deny *Rule)) (allow, deny *Rule) {
	for _, s := range e.sections {
		allowed, denied := find(s)
		allow, deny = first(allow, allowed), first(deny, denied)
	}
	return allow, deny
}

// Said is a decision by something other than a policy, such as a plan; why is
// empty where it allows.
func Said(layer Layer, name, rule, why string) Decision {
	return Decision{Allowed: why == "", Layer: layer, Policy: name, Rule: rule, why: why}
}

// Grant is a line that is missing in a policy. The zero Grant is any
// mention of the provider.
type Grant struct {
	// Key is where the line belongs, such as env.pass.
	Key string
	// Rule is the line, in YAML.
	Rule string
	// Pattern means that all that the rule matches is asked for.
	Pattern bool
}

// grantOf is the rule for one text.
func grantOf(key, text string) Grant { return Grant{Key: key, Rule: yamldoc.Quote(asPattern(text))} }

// asPattern is the narrowest pattern that matches a text and that can be
// written. A * can only be written as the pattern that it is, and ** would
// stand for more; bytes that are not UTF-8 cannot be written at all.
func asPattern(text string) string {
	text = strings.ToValidUTF8(text, "*")
	for strings.Contains(text, "**") {
		text = strings.ReplaceAll(text, "**", "*")
	}
	return text
}
