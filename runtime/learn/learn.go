// Package learn makes the least policy that allows what a run did. What a rule
// is, and whether it is needed, is decided by package capability alone: here
// are no second thoughts of what a policy means.
package learn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Header begins every policy that was learnt.
const Header = "# Learnt by stagecraft policy learn"

// Learnt is what was learnt from some claims.
type Learnt struct {
	// Policy is the text of the policy file.
	Policy string
	// Left are the claims that the policy does not allow, since none can, each
	// of them once.
	Left []Left
	// Outside are files, folders and sockets that commands used, and that no line
	// of a policy can allow, sorted: those outside of the project that no toolchain
	// has.
	Outside []string
}

// Left is a claim that no policy can allow.
type Left struct {
	Claim  capability.Claim
	Reason string
}

// Folder lists the names of the regular files that stand directly in a folder,
// which is relative to the project; "." is the project itself.
type Folder func(dir string) ([]string, error)

// Commands are what the commands of providers used, by the provider's ID. Of one
// that isn't in it, nothing is known.
type Commands map[string]capability.Used

// Policy gives the policy that allows the claims, for all of their providers, and
// what their commands used. Where that isn't known, commands are not confined.
// It allows nothing else that can be told apart by a rule, but for this: where
// all of the two or more files of a folder were read, one rule stands for them,
// and so for others in it, present or to come. A folder that can't be listed,
// such as one of another machine's run, is learnt file by file; so are all
// where folder is nil.
//
// No rule can be taken away without one of the claims being denied, or a command
// something that it used. The lines that allow nothing, which are the bounds of
// builds and of commands, are there so that others are denied.
//
// Claims are learnt whatever was decided about them: it is for the caller to
// leave out those that were denied.
//
// # Errors
//
// A policy that would be larger than one can be, see yamldoc.MaxBytes.
func Policy(claims []capability.Claim, commands Commands, folder Folder) (*Learnt, error) {
	learnt := new(Learnt)
	needing := learnt.sort(distinct(claims))
	var b strings.Builder
	fmt.Fprintf(&b, Header+" from %s. Read it before you commit it.\nversion: 1\nproviders:", calls(len(claims)))
	if len(needing) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	for _, id := range slices.Sorted(maps.Keys(needing)) {
		p := provider{id: id, needing: needing[id]}
		outside := p.watch(commands)
		learnt.Outside = append(learnt.Outside, outside...)
		rules, err := p.least(folder)
		if err != nil {
			return nil, err
		}
		b.WriteString(p.section(rules))
	}
	slices.Sort(learnt.Outside)
	learnt.Outside = slices.Compact(learnt.Outside)
	learnt.Policy = b.String()
	return learnt, learnt.check(needing)
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
func (l *Learnt) sort(claims []capability.Claim) map[string][]needy {
	needing := make(map[string][]needy)
	told := tellSources(claims)
	for _, c := range claims {
		d := capability.Decide(nil, c)
		switch _, err := capability.Parse("", []byte(capability.Snippet(c.Provider, nil))); {
		case len(d.Missing) == 0:
			l.Left = append(l.Left, Left{c, d.Reason()})
		case err != nil:
			l.Left = append(l.Left, Left{c, fmt.Sprintf("no policy can name it: %q is no provider ID", c.Provider)})
		case c.Build != nil && c.Build.Engine == "" && told[c.Provider]:
			l.Left = append(l.Left, Left{c, "it is of an earlier version, and doesn't say which images it builds on, as others do"})
		default:
			needing[c.Provider] = append(needing[c.Provider], needy{c, d.Missing})
		}
	}
	return needing
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

// check holds the policy against what it was learnt from.
func (l *Learnt) check(needing map[string][]needy) error {
	p, err := parse(l.Policy)
	if err != nil {
		return err
	}
	for _, all := range needing {
		for _, n := range all {
			if d := capability.Decide([]*capability.Policy{p}, n.claim); !d.Allowed {
				return fmt.Errorf("the learnt policy does not allow %s: %s", n.claim, d.Reason())
			}
		}
	}
	return nil
}

func parse(text string) (*capability.Policy, error) {
	p, err := capability.Parse("the learnt policy", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("what was learnt can't be a policy: %w", err)
	}
	return p, nil
}
