// Package learn makes the least policy that allows what a run did. Only package
// capability decides what a rule means and whether it is needed.
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

// Header begins every learnt policy.
const Header = "# Learnt by stagecraft policy learn"

// Learnt is the result of [Policy].
type Learnt struct {
	// Policy is the text of the policy file.
	Policy string
	// Added are its lines that the existing policy does not have.
	Added []Added
	// Left are the distinct claims that the policy does not allow, because no policy can
	// or because the existing one denies them.
	Left []Left
	// Withheld is what was used and is sensitive, sorted. No line allows it.
	Withheld []Withheld
	// Outside are used files, directories and sockets that no line can allow, sorted:
	// they are outside the project and of no toolchain.
	Outside []string
	// Notes are further hints for the user, a line each.
	Notes []string
}

// Added is a line that was added to a policy.
type Added struct {
	Provider, Key string
	// Rule is the line in YAML; Remark says what it allows besides what was done.
	Rule, Remark string
}

// Withheld is a path that was used and is not learnt.
type Withheld struct {
	Path string
	// Why says what it is. Write means that it was not only read.
	Why   string
	Write bool
	// Fixed means that it is not learnt either if the user names it.
	Fixed bool
}

// Left is a claim that no policy can allow.
type Left struct {
	Claim  capability.Claim
	Reason string
}

// Commands are what the commands of providers used, by the provider's ID. Those of a
// missing provider were not watched.
type Commands map[string]capability.Used

// Policy makes the policy that allows the claims and what commands used. Commands that
// were not watched are not confined. It allows nothing else that a rule can distinguish,
// with two exceptions: one rule is for all files of a directory, including later ones, if
// all of its two or more files were read, or if [Options].Directories is set and a command
// read one. A directory that contains or may get something sensitive has no such rule.
//
// Without any one rule, a claim or something that a command used would be denied. Lines
// that allow nothing bound builds and commands.
//
// An existing policy keeps its text, and what it does not allow yet is added. What it
// denies or confines stays so: a new line allows something, which is in [Learnt.Added], or
// confines commands that nothing confined.
//
// The caller leaves out claims that were denied.
//
// # Errors
//
// A policy larger than yamldoc.MaxBytes; an existing file that is not a policy or has no
// place for a line, see [yamldoc.ErrNoPlace]; a [*WeakerError]. The result is complete all
// the same, except the policy's text.
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
	demands := learnt.sort(distinct(claims), j, e)
	var b strings.Builder
	fmt.Fprintf(&b, Header+" from %s. Read it before you commit it.\nversion: 1\nproviders:", calls(len(claims)))
	if len(demands) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	for _, id := range slices.Sorted(maps.Keys(demands)) {
		p := provider{id: id, demands: demands[id], old: e.section(id)}
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
		learnt.Notes = append(learnt.Notes, fmt.Sprintf("--sensitive %s matches nothing that was used", yamldoc.Word(pattern)))
	}
	learnt.tidy()
	if e.policy == nil {
		learnt.Policy = b.String()
	} else if learnt.Policy, err = e.text(learnt.Added); err != nil {
		return learnt, err
	}
	return learnt, learnt.check(demands, o)
}

// tidy sorts, and removes duplicates.
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

// distinct leaves out duplicates.
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

// key is equal for equal claims. In JSON, names that differ only in bytes that are not
// UTF-8 would be equal too.
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

// demand is a claim with the rules that it needs, which allow exactly it.
type demand struct {
	claim capability.Claim
	needs []capability.Grant
}

// sort groups claims by provider, and leaves out those that cannot be learnt.
func (l *Learnt) sort(claims []capability.Claim, j *judge, e *existing) map[string][]demand {
	demands := make(map[string][]demand)
	named := nameBases(claims)
	for _, c := range claims {
		d := capability.Decide(nil, c)
		switch _, err := capability.Parse("", []byte(explain.Snippet(c.Provider, nil))); {
		case len(d.Missing) == 0:
			l.Left = append(l.Left, Left{c, d.Reason()})
		case err != nil:
			l.Left = append(l.Left, Left{c, fmt.Sprintf("a policy cannot name it: %q is not a provider ID", c.Provider)})
		case c.Build != nil && c.Build.Engine == "" && named[c.Provider]:
			l.Left = append(l.Left, Left{c, "recorded by an earlier version without the base images, which other builds have"})
		case l.withhold(j, c):
		default:
			missing, why := e.missing(c, d.Missing)
			if why != "" {
				l.Left = append(l.Left, Left{c, why})
				continue
			}
			demands[c.Provider] = append(demands[c.Provider], demand{c, missing})
		}
	}
	return demands
}

// withhold leaves out a claim of a sensitive file, unless only its variables are passed
// to commands: the project's own settings name such a file, and neither the provider nor a
// command may read it.
func (l *Learnt) withhold(j *judge, c capability.Claim) bool {
	secret := false
	for _, f := range c.Files {
		w := Withheld{Path: f.Path, Write: f.Use == capability.Write}
		switch f.Use {
		case capability.Load:
			continue
		case capability.Watch:
			w.Why = j.watched(c.Provider, f.Path)
		default:
			w.Why = j.secrecy(f.Path, w.Write)
		}
		if w.Why != "" {
			l.Withheld = append(l.Withheld, w)
			secret = true
		}
	}
	return secret
}

// once sorts, and removes duplicates.
func once(grants []capability.Grant) []capability.Grant {
	return slices.Compact(slices.SortedFunc(slices.Values(grants), compareGrants))
}

func compareGrants(a, b capability.Grant) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Rule, b.Rule))
}

func parse(text string) (*capability.Policy, error) {
	p, err := capability.Parse("the learnt policy", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("cannot write what was learnt as a policy: %w", err)
	}
	return p, nil
}

// WeakerError means that a new policy would not confine commands that the policy in force
// confines.
type WeakerError struct {
	Provider string
	// InForce is the name of the policy in force.
	InForce string
}

func (e *WeakerError) Error() string {
	return fmt.Sprintf("nothing was written: %s confines the commands of %s, and the new policy would not", e.InForce, e.Provider)
}

// check verifies that the policy allows every claim, and is not weaker.
func (l *Learnt) check(demands map[string][]demand, o Options) error {
	p, err := parse(l.Policy)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(demands)) {
		for _, n := range demands[id] {
			if d := capability.Decide([]*capability.Policy{p}, n.claim); !d.Allowed {
				return fmt.Errorf("the learnt policy does not allow %s: %s", n.claim, d.Reason())
			}
		}
		confined := func(p *capability.Policy) bool { return len(capability.Confine([]*capability.Policy{p}, id)) > 0 }
		if o.Into == nil && o.InForce != nil && confined(o.InForce) && !confined(p) && p.Confinement(id).Commands {
			l.Policy = ""
			return &WeakerError{id, o.InForce.Name}
		}
	}
	return nil
}
