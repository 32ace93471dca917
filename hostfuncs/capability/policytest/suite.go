// Package policytest tests policies by cases that are data: a request, and
// whether it should be allowed. Nothing is looked up on the machine, so a test
// says the same everywhere.
package policytest

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Suite is a file of cases.
type Suite struct {
	// File is its name in messages. The policies are named relative to it.
	File  string
	Cases []Case
}

// Case is a request, and what should become of it.
type Case struct {
	Note string
	Pos  yamldoc.Pos
	// Claim is what the request comes to.
	Claim capability.Claim
	// Allowed is what is wanted.
	Allowed bool
	// Reason must be a part of what is said of the decision: the reason, the
	// rule or its place. It may be empty.
	Reason string

	request  string // in words
	policies []named
}

// named is a policy's file and where it is named.
type named struct {
	file string
	pos  yamldoc.Pos
}

// Run decides all cases; load reads a policy and is called once for each file.
// The results are in the order of the cases.
//
// # Errors
//
// What load gives, of all policies together, with the place where each is named.
func (s *Suite) Run(load func(file string) (*capability.Policy, error)) ([]Result, error) {
	policies, err := s.load(load)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(s.Cases))
	for i, c := range s.Cases {
		layers := make([]*capability.Policy, len(c.policies))
		for j, p := range c.policies {
			layers[j] = policies[p.file]
		}
		results[i] = judge(c, capability.Decide(layers, c.Claim))
	}
	return results, nil
}

func (s *Suite) load(load func(file string) (*capability.Policy, error)) (map[string]*capability.Policy, error) {
	policies := make(map[string]*capability.Policy)
	var errs []error
	for _, c := range s.Cases {
		for _, p := range c.policies {
			if _, known := policies[p.file]; known {
				continue
			}
			policy, err := load(p.file)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: cannot use the policy: %w", p.pos, err))
			}
			policies[p.file] = policy
		}
	}
	return policies, errors.Join(errs...)
}

// relative is where a file is that a suite names.
func relative(suite, named string) string {
	named = filepath.FromSlash(named)
	if filepath.IsAbs(named) {
		return filepath.Clean(named)
	}
	return filepath.Join(filepath.Dir(suite), named)
}

// Result is what became of a case.
type Result struct {
	Case     Case
	Decision capability.Decision
	Passed   bool
}

func judge(c Case, d capability.Decision) Result {
	// The reason has the rule in quotes, and its place.
	said := strings.Contains(d.Reason(), c.Reason) || strings.Contains(d.Rule, c.Reason)
	return Result{c, d, d.Allowed == c.Allowed && said}
}

// Difference says, over some lines, what was wanted and what came instead;
// empty where the case passed. Lines with - and + are as in a diff.
func (r Result) Difference() string {
	if r.Passed {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Case.Pos, termtext.Line(r.Case.Note, maxNote))
	fmt.Fprintf(&b, "  provider %s: %s\n", r.Case.Claim.Provider, termtext.Line(r.Case.request, maxLine))
	want := word(r.Case.Allowed)
	if r.Case.Reason != "" {
		want += fmt.Sprintf(", with %q in the reason", r.Case.Reason)
	}
	fmt.Fprintf(&b, "- want: %s\n", want)
	fmt.Fprintf(&b, "+ got:  %s\n", word(r.Decision.Allowed))
	fmt.Fprintf(&b, "  %s\n", termtext.Line(r.Decision.Reason(), maxLine))
	for _, g := range r.Decision.Missing {
		if g.Key != "" {
			fmt.Fprintf(&b, "  there is no %s: %s\n", g.Key, g.Rule)
		}
	}
	return b.String()
}

// The runes of a line and of a note that are shown.
const maxLine, maxNote = 2000, 200

// The decisions, as a case writes them.
const (
	allowed = "allowed"
	denied  = "denied"
)

func word(yes bool) string {
	if yes {
		return allowed
	}
	return denied
}
