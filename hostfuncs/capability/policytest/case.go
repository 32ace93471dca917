package policytest

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

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
