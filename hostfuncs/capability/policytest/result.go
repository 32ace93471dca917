package policytest

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

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
