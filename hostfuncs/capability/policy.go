package capability

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Policy is what one layer allows: a file, or a policy made in code.
type Policy struct {
	// Layer says who sets the policy. The reader of a policy fills it in.
	Layer Layer
	// Name is the file as messages name it.
	Name string
	// Digest is the SHA-256 of the file in hex; empty for a policy of [New].
	Digest string
	// Require is what the policy requires of a run as a whole.
	Require Require

	sections map[string]*section // by provider's ID, or anyProvider
	lists    []List
	digests  []List // each require_digest that is true, as of build.bases
	values   []List // of sockets and build.network, as they are in the file
	accepted []Acceptance
	open     bool // allows whatever a policy could
}

// Layer says who sets a policy. A call must be allowed by every layer.
type Layer string

// The layers. Planned is not a policy: it is a plan that is enforced on a run.
const (
	Asked   Layer = "asked"   // what the provider asks for
	Project Layer = "project" // what the project grants
	Ceiling Layer = "ceiling" // what is set from outside the project
	Planned Layer = "plan"
)

// order is how near a layer is to the user who reads a message: of two without a
// rule, the nearest is named first.
func (l Layer) order() int {
	return slices.Index([]Layer{Project, Ceiling, Asked, Planned}, l)
}

// Nothing is the policy of a project without one, and allows nothing.
func Nothing() *Policy { return &Policy{Layer: Project} }

// Open is a policy that allows whatever a rule could, to learn what a run
// needs. Of the user's environment it passes the baseline, as a policy that says
// nothing does, and the variables of the names passed.
func Open(name string, passed ...string) *Policy {
	s := new(section)
	for _, variable := range passed {
		// A name that no rule can have is passed by no policy.
		_ = AllowEnv(variable, yamldoc.Pos{}).apply(s)
	}
	return &Policy{Layer: Project, Name: name, open: true, sections: map[string]*section{anyProvider: s}}
}

// anyProvider is the key whose rules are for all providers.
const anyProvider = "*"

// Rule is one line of a policy.
type Rule struct {
	// Text is the rule as messages write it, Pos its place; unknown for a rule
	// of no file.
	Text string
	Pos  yamldoc.Pos

	words  []string
	sha256 string               // of the program's file, in hex; empty for any
	apply  func(*section) error // how a rule of New is put into a section
}

// String is the rule in quotes, and its place where that is known.
func (r *Rule) String() string { return strconv.Quote(r.Text) + at(r.Pos) }

// key is the same for rules that say the same.
func (r *Rule) key() string {
	if r.words != nil {
		return strings.Join(r.words, "\x00") + "\x00" + r.sha256
	}
	return r.Text
}

// first is the first of two rules in their file, in whatever order they are given.
func first(a, b *Rule) *Rule {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	c := a.Pos.Compare(b.Pos)
	if c < 0 || (c == 0 && a.Text <= b.Text) {
		return a
	}
	return b
}

// New makes a policy in code, for one provider.
//
// # Errors
//
// A rule that no function of this package made, or whose text has no meaning,
// such as a pattern that leaves the project directory.
func New(name, provider string, rules ...Rule) (*Policy, error) {
	s := new(section)
	for _, r := range rules {
		if r.apply == nil {
			return nil, fmt.Errorf("%s: rule %q: %w", name, r.Text, errNotMade)
		}
		if err := r.apply(s); err != nil {
			return nil, fmt.Errorf("%s: rule %q: %w", name, r.Text, err)
		}
	}
	return &Policy{Name: name, sections: map[string]*section{provider: s}}, nil
}

var errNotMade = errors.New("was not made by a function of this package")

func made(text string, pos yamldoc.Pos, apply func(*section, *Rule) error) Rule {
	r := Rule{Text: text, Pos: pos}
	r.apply = func(s *section) error { return apply(s, &r) }
	return r
}

// of lists the sections for a provider.
func (p *Policy) of(provider string) []*section {
	if p == nil {
		return nil
	}
	var out []*section
	for _, key := range [2]string{provider, anyProvider} {
		if s := p.sections[key]; s != nil {
			out = append(out, s)
		}
	}
	return out
}

// List is one list of rules of a policy file.
type List struct {
	// Provider is an ID, or "*".
	Provider string
	// Key is the key of the list, such as env.pass.
	Key  string
	Deny bool
	// Rules are in the order of the file.
	Rules []*Rule
}

// Lists are all lists of rules of a policy file, in its order.
func (p *Policy) Lists() []List { return p.lists }

// Values are the values of sockets and build.network, as lists of rules.
func (p *Policy) Values() []List { return p.values }

// DigestRules are the rules that require images to be named by a digest, each as a
// list of build.bases.
func (p *Policy) DigestRules() []List { return p.digests }

// Providers are the IDs that the policy has a section for, with "*", sorted.
func (p *Policy) Providers() []string { return slices.Sorted(maps.Keys(p.sections)) }

// For reports whether the list is for the provider.
func (l List) For(provider string) bool { return l.Provider == provider || l.Provider == anyProvider }
