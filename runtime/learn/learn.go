// Package learn makes the least policy that allows what a run did. What a rule
// is, and whether it is needed, is decided by package capability alone: here
// are no second thoughts of what a policy means.
package learn

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Header begins every policy that was learnt.
const Header = "# Learnt by stagecraft policy learn"

// Learnt is what was learnt from some claims.
type Learnt struct {
	// Policy is the text of the policy file.
	Policy string
	// Added are the lines that it has and the one that was added to has not.
	Added []Added
	// Left are the claims that the policy does not allow, since none can or since
	// what stands in the one that was added to says no, each of them once.
	Left []Left
	// Withheld is what was used and is sensitive, sorted: no line allows it.
	Withheld []Withheld
	// Outside are files, directories and sockets that commands used, and that no line
	// of a policy can allow, sorted: those outside of the project that no toolchain
	// has.
	Outside []string
	// Notes are what whoever has the policy should know besides, a line each.
	Notes []string
}

// Added is a line that was added to a policy.
type Added struct {
	Provider, Key string
	// Rule is the line, in YAML, and Remark what it allows besides what was done.
	Rule, Remark string
}

// Withheld is a path that was used, and that is not learnt.
type Withheld struct {
	Path string
	// Why says what it is. Write tells that it was written, or more than read.
	Why   string
	Write bool
	// Fixed is of what the user cannot have learnt by naming it either.
	Fixed bool
}

// Left is a claim that no policy can allow.
type Left struct {
	Claim  capability.Claim
	Reason string
}

// Commands are what the commands of providers used, by the provider's ID. Of one
// that isn't in it, nothing is known.
type Commands map[string]capability.Used

// Policy gives the policy that allows the claims, for all of their providers, and
// what their commands used. Where that isn't known, commands are not confined.
// It allows nothing else that can be told apart by a rule, but for this: where
// all of the two or more files of a directory were read, one rule stands for them,
// and so for others in it, present or to come, and so does one for a directory of
// which commands read a file, if the options say so. Neither is learnt of a
// directory in which something sensitive is or can come to be.
//
// No rule can be taken away without one of the claims being denied, or a command
// something that it used. The lines that allow nothing, which are the bounds of
// builds and of commands, are there so that others are denied.
//
// Where there is a policy already, all that stands in it stays as it is written, and
// what it does not allow yet is added. Nothing that confines or denies is taken away
// by that: a new line either allows something, which [Learnt.Added] tells, or confines
// commands that nothing confined.
//
// Claims are learnt whatever was decided about them: it is for the caller to
// leave out those that were denied.
//
// # Errors
//
// A policy that would be larger than one can be, see yamldoc.MaxBytes; what is added
// to is not a policy, or has no place for a line, see [yamldoc.ErrNoPlace]; and a
// [*WeakerError]. What was learnt is told all the same, but for the policy's text.
func Policy(claims []capability.Claim, commands Commands, o Options) (*Learnt, error) {
	learnt := new(Learnt)
	e, err := readExisting(o)
	if err != nil {
		return learnt, err
	}
	j, err := newJudge(o, e.policy)
	if err != nil {
		return learnt, err
	}
	needing := learnt.sort(distinct(claims), j, e)
	var b strings.Builder
	fmt.Fprintf(&b, Header+" from %s. Read it before you commit it.\nversion: 1\nproviders:", calls(len(claims)))
	if len(needing) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	for _, id := range slices.Sorted(maps.Keys(needing)) {
		p := provider{id: id, needing: needing[id], old: e.said(id)}
		found := p.watch(commands, j)
		learnt.Outside = append(learnt.Outside, found.outside...)
		learnt.Withheld = append(learnt.Withheld, found.withheld...)
		rules, err := p.least(j)
		if err != nil {
			return learnt, err
		}
		if e.policy != nil {
			e.add(&p, rules, learnt)
			continue
		}
		b.WriteString(p.section(rules))
		learnt.Added = append(learnt.Added, p.added(p.lines(rules))...)
	}
	for _, pattern := range j.unused(claims, commands) {
		learnt.Notes = append(learnt.Notes, fmt.Sprintf("nothing that was used is what --sensitive %s names", yamldoc.Word(pattern)))
	}
	learnt.tidy()
	if e.policy == nil {
		learnt.Policy = b.String()
	} else if learnt.Policy, err = e.text(learnt.Added); err != nil {
		return learnt, err
	}
	return learnt, learnt.check(needing, o)
}

// tidy sorts what is told.
func (l *Learnt) tidy() {
	slices.Sort(l.Outside)
	l.Outside = slices.Compact(l.Outside)
	slices.SortFunc(l.Withheld, func(a, b Withheld) int {
		w := func(w Withheld) int { return map[bool]int{true: 0, false: 1}[w.Write] }
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(w(a), w(b)))
	})
	l.Withheld = slices.CompactFunc(l.Withheld, func(a, b Withheld) bool { return a.Path == b.Path })
}

func calls(n int) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}

// distinct leaves out what was claimed before.
func distinct(claims []capability.Claim) []capability.Claim {
	seen := make(map[string]bool)
	var out []capability.Claim
	for _, c := range claims {
		if k := key(c); !seen[k] {
			seen[k] = true
			out = append(out, c)
		}
	}
	return out
}

// key is the same for claims that are the same. JSON would make one of names
// that differ in bytes that are no UTF-8.
func key(c capability.Claim) string {
	k := fmt.Sprintf("%q %q %#v %#v %#v %v", c.Operation, c.Provider, c.Env, c.Files, c.Net, c.Log)
	if c.Exec != nil {
		k += fmt.Sprintf(" %#v", *c.Exec)
	}
	if c.Build != nil {
		k += fmt.Sprintf(" %#v", *c.Build)
	}
	return k
}

// needy is a claim and the rules that it lacks without a policy, which are
// those that allow exactly it.
type needy struct {
	claim capability.Claim
	needs []capability.Grant
}

// sort puts claims to their providers, and aside those that can't be learnt.
func (l *Learnt) sort(claims []capability.Claim, j *judge, e *existing) map[string][]needy {
	needing := make(map[string][]needy)
	told := tellSources(claims)
	for _, c := range claims {
		d := capability.Decide(nil, c)
		switch _, err := capability.Parse("", []byte(explain.Snippet(c.Provider, nil))); {
		case len(d.Missing) == 0:
			l.Left = append(l.Left, Left{c, d.Reason()})
		case err != nil:
			l.Left = append(l.Left, Left{c, fmt.Sprintf("a policy cannot name it: %q is not a provider ID", c.Provider)})
		case c.Build != nil && c.Build.Engine == "" && told[c.Provider]:
			l.Left = append(l.Left, Left{c, "it is of an earlier version, and doesn't say which images it builds on, as others do"})
		case l.withhold(j, c):
		default:
			missing, why := e.missing(c, d.Missing)
			if why != "" {
				l.Left = append(l.Left, Left{c, why})
				continue
			}
			needing[c.Provider] = append(needing[c.Provider], needy{c, missing})
		}
	}
	return needing
}

// withhold puts aside a claim of a sensitive file. One of a file whose variables
// would be given to commands is not: the project's own settings name it, and neither
// the provider nor a command may read it by that.
func (l *Learnt) withhold(j *judge, c capability.Claim) bool {
	secret := false
	for _, f := range c.Files {
		if f.Use == capability.Load {
			continue
		}
		if why := j.secrecy(f.Path, f.Use == capability.Write); why != "" {
			l.Withheld = append(l.Withheld, Withheld{Path: f.Path, Why: why, Write: f.Use == capability.Write})
			secret = true
		}
	}
	return secret
}

// once leaves out what stands there twice, and sorts.
func once(grants []capability.Grant) []capability.Grant {
	return slices.Compact(slices.SortedFunc(slices.Values(grants), compareGrants))
}

func compareGrants(a, b capability.Grant) int {
	if c := strings.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	return strings.Compare(a.Rule, b.Rule)
}

func parse(text string) (*capability.Policy, error) {
	p, err := capability.Parse("the learnt policy", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("what was learnt can't be a policy: %w", err)
	}
	return p, nil
}

// WeakerError is that a new policy would not confine commands that the policy in
// force confines.
type WeakerError struct {
	Provider string
	// InForce is the name of the policy in force.
	InForce string
}

func (e *WeakerError) Error() string {
	return fmt.Sprintf("nothing was written: %s confines the commands of %s, and a policy that does not would be weaker", e.InForce, e.Provider)
}

// check compares the policy with what it was learnt from.
func (l *Learnt) check(needing map[string][]needy, o Options) error {
	p, err := parse(l.Policy)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(needing)) {
		for _, n := range needing[id] {
			if d := capability.Decide([]*capability.Policy{p}, n.claim); !d.Allowed {
				return fmt.Errorf("the learnt policy does not allow %s: %s", n.claim, d.Reason())
			}
		}
		held := func(p *capability.Policy) bool { return len(capability.Confine([]*capability.Policy{p}, id)) > 0 }
		if o.Into == nil && o.InForce != nil && held(o.InForce) && !held(p) && p.Confinement(id).Commands {
			l.Policy = ""
			return &WeakerError{id, o.InForce.Name}
		}
	}
	return nil
}
