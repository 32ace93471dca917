package policytest

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Version is the version of test files that is read.
const Version = "1"

// Parse reads a file of cases; file is its name in messages, and where the
// names of policies are relative to.
//
// # Errors
//
// yamldoc.Problems, all of the file, each with its place.
func Parse(file string, data []byte) (*Suite, error) {
	root, err := yamldoc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	r := reader{suite: Suite{File: file}}
	r.document(root)
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return &r.suite, nil
}

// reader reads a file of cases and collects the problems.
type reader struct {
	suite    Suite
	top      *yamldoc.Node
	policies []named // of the cases that name none
	provider string  // of the cases that name none
	problems yamldoc.Problems
}

// mapping checks that a value is a mapping of known keys that has all that are
// needed.
func (r *reader) mapping(n *yamldoc.Node, known []string, needed ...string) bool {
	if !r.problems.KnownKeys(n, known) {
		return false
	}
	for _, key := range needed {
		if n.Get(key) == nil {
			r.problems.Wrong(n, key+" is required", "")
		}
	}
	return true
}

func (r *reader) document(root *yamldoc.Node) {
	if root.Kind() == yamldoc.KindNull {
		r.problems.Wrong(root, "the file is empty", "begin it with:\nversion: 1")
		return
	}
	if !r.mapping(root, []string{"version", "policy", "provider", "cases"}, "version", "cases") {
		return
	}
	if n := root.Get("version"); n != nil && (n.Kind() != yamldoc.KindInt || n.Text() != Version) {
		r.problems.Wrong(n, fmt.Sprintf("unknown version %q, this stagecraft reads version 1", n.Text()), "")
	}
	r.top, r.policies = root, r.files(root.Get("policy"))
	if n := root.Get("provider"); n != nil {
		r.provider = r.readProvider(n)
	}
	cases := root.Get("cases")
	switch {
	case cases == nil:
	case cases.Kind() != yamldoc.KindList:
		r.problems.Expected(cases, "a list of cases")
	case len(cases.Items()) == 0:
		r.problems.Wrong(cases, "at least one case is required", "")
	}
	for _, n := range cases.Items() {
		r.test(n)
	}
}

// files reads the name of a policy, or a list of them.
func (r *reader) files(n *yamldoc.Node) []named {
	if n == nil {
		return nil
	}
	var out []named
	for _, item := range oneOrMore(n) {
		if text, ok := r.problems.Text(item); ok {
			out = append(out, named{relative(r.suite.File, text), item.Pos()})
		}
	}
	if n.Kind() == yamldoc.KindList && len(n.Items()) == 0 {
		r.problems.Wrong(n, "names no policy", "")
	}
	return out
}

func oneOrMore(n *yamldoc.Node) []*yamldoc.Node {
	if n.Kind() == yamldoc.KindList {
		return n.Items()
	}
	return []*yamldoc.Node{n}
}

// test reads a case.
func (r *reader) test(n *yamldoc.Node) {
	c := Case{Pos: n.Pos(), policies: r.policies}
	if !r.mapping(n, []string{"note", "policy", "provider", "request", "want", "reason"}, "note", "request", "want") {
		return
	}
	if note := n.Get("note"); note != nil {
		c.Note, _ = r.problems.Text(note)
	}
	if want := n.Get("want"); want != nil {
		c.Allowed = r.want(want)
	}
	if reason := n.Get("reason"); reason != nil {
		c.Reason, _ = r.problems.Text(reason)
	}
	switch policy := n.Get("policy"); {
	case policy != nil:
		c.policies = r.files(policy)
	case r.top.Get("policy") == nil:
		r.problems.Wrong(n, "policy is required", "name one in the case, or one for all cases at the top of the file")
	}
	provider := r.providerOf(n)
	if request := n.Get("request"); request != nil {
		before := len(r.problems)
		var problems yamldoc.Problems
		c.Claim, c.request, problems = capability.ParseRequest(request)
		r.problems = append(r.problems, problems...)
		c.Claim.Provider = provider
		if provider != "" && len(r.problems) == before {
			r.possible(request, c.Claim)
		}
	}
	r.suite.Cases = append(r.suite.Cases, c)
}

func (r *reader) want(n *yamldoc.Node) bool {
	hint := "use " + allowed + " or " + denied
	for _, word := range [...]string{allowed, denied} {
		if n.Text() == word {
			return word == allowed
		}
		// "allow" and "deny" are too different for a general suggestion.
		if strings.HasPrefix(strings.ToLower(n.Text()), word[:2]) {
			hint = fmt.Sprintf("did you mean %q?", word)
		}
	}
	r.problems.Wrong(n, fmt.Sprintf("%q is not a decision", n.Text()), hint)
	return false
}

// providerOf is the provider of a case, empty where that is a problem.
func (r *reader) providerOf(n *yamldoc.Node) string {
	switch own := n.Get("provider"); {
	case own != nil:
		return r.readProvider(own)
	case r.top.Get("provider") == nil:
		r.problems.Wrong(n, "provider is required", "name one in the case, or one for all cases at the top of the file")
	}
	return r.provider
}

// readProvider reads an ID. A provider that no policy can name would be denied
// whatever a policy says.
func (r *reader) readProvider(n *yamldoc.Node) string {
	id, ok := r.problems.Text(n)
	if !ok {
		return ""
	}
	if _, err := capability.Parse("", []byte(explain.Snippet(id, nil))); err != nil || id == "*" {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a provider ID", id), "")
		return ""
	}
	return id
}

// possible requires a request that a policy can decide: any other is denied
// whatever a policy says, and tests nothing.
func (r *reader) possible(n *yamldoc.Node, c capability.Claim) {
	if d := capability.Decide([]*capability.Policy{capability.Open("")}, c); !d.Allowed {
		r.problems.Wrong(n, d.Reason(), "")
	}
}
