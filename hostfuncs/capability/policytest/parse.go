package policytest

import (
	"fmt"

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
		r.problems.Wrong(cases, "there is no case, so nothing would be tested", "")
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
