package capability

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Policy is what one layer allows: a file, or what stands in for it.
type Policy struct {
	// Layer says whose word the policy is. Whoever reads a policy sets it.
	Layer Layer
	// Name is the file as messages name it.
	Name string
	// Digest is the SHA-256 of the file in hex; empty for a policy of [New].
	Digest string
	// Require is what the policy wants of a run as a whole.
	Require Require

	sections map[string]*section // by provider's ID, or anyProvider
	lists    []List
	digests  []providerRule // each require_digest that is true
	values   []List         // of sockets and build.network, as they stand in the file
	accepted []Acceptance
	open     bool // allows whatever a policy could
}

// Layer says whose word a policy is. A call needs every layer's.
type Layer string

// The layers. Planned is not a policy's: it is a plan that a run is held to.
const (
	Asked   Layer = "asked"   // what the provider says that it needs
	Project Layer = "project" // what the project grants
	Ceiling Layer = "ceiling" // what is set from outside the project
	Planned Layer = "plan"
)

// order is how near to the user who reads a message a layer is: of two that
// lack a rule, the nearest is named first.
func (l Layer) order() int {
	return slices.Index([]Layer{Project, Ceiling, Asked, Planned}, l)
}

// Nothing is the project's word where it has no policy and nothing stands in
// for one.
func Nothing() *Policy { return &Policy{Layer: Project} }

// Open is a policy that allows whatever a rule could, to learn what a run
// needs. Of the user's environment it passes the baseline, as a policy that says
// nothing does, and the variables of the names passed.
func Open(name string, passed ...string) *Policy {
	s := new(section)
	for _, variable := range passed {
		// What no rule can name, no policy could pass either.
		_ = AllowEnv(variable, yamldoc.Pos{}).apply(s)
	}
	return &Policy{Layer: Project, Name: name, open: true, sections: map[string]*section{anyProvider: s}}
}

// anyProvider is the key whose rules hold for all providers.
const anyProvider = "*"

// section is what a policy says of one provider.
type section struct {
	execAllow   execAllow
	execDeny    execDeny
	exact       []exactRule
	inherit     bool // the user's whole environment reaches a child
	pass, look  list[variables]
	read, write list[paths]
	load        list[paths]
	contexts    list[paths]
	tags        list[references]
	images      references // that may be looked for, besides tags
	args        list[variables]
	texts       map[string]*textRules // by the key of a [textList]
	digests     *Rule                 // require_digest, where it is true
	network     network
	push        bool
	connect     list[ports]
	confine     confinement
	daemons     daemons
}

// list is what a policy allows and denies of one kind. The zero value of an
// index has no rules.
type list[T any] struct{ allow, deny T }

// providerRule is a rule and the provider that it is of, or "*".
type providerRule struct {
	provider string
	rule     *Rule
}

// Rule is one line of a policy.
type Rule struct {
	// Text is the rule as messages write it, Pos where it stands; unknown for
	// a rule that stands in no file.
	Text string
	Pos  yamldoc.Pos

	words  []string
	sha256 string               // of the program's file, in hex; empty for any
	apply  func(*section) error // how a rule of New is put into a section
}

// key is the same for rules that say the same.
func (r *Rule) key() string {
	if r.words != nil {
		return strings.Join(r.words, "\x00") + "\x00" + r.sha256
	}
	return r.Text
}

// first is the one of two rules that stands first, whichever way they come.
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

// network is how far a build's steps may reach.
type network int

const (
	networkUnset network = iota
	networkNone
	networkDefault
	networkHost
)

// String is the name in a policy.
func (n network) String() string {
	switch n {
	case networkNone:
		return "none"
	case networkHost:
		return "host"
	default:
		return "default"
	}
}

var networks = map[string]network{"": networkDefault, "none": networkNone, "default": networkDefault, "host": networkHost}

// exactRule allows one argv, word for word, in one directory, or in any where dir
// is empty.
type exactRule struct {
	argv []string
	dir  string
	rule *Rule
}

// New makes a policy in code, for one provider.
//
// # Errors
//
// A rule that is none, or whose text has no meaning, such as a pattern that
// leaves the project directory.
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

// AllowArgv allows exactly that argv in exactly that directory, relative to the
// project, or in any where dir is empty; no character of it is a pattern.
func AllowArgv(argv []string, dir string, pos yamldoc.Pos) Rule {
	argv = slices.Clone(argv)
	r := Rule{Text: quoteWords(argv), Pos: pos}
	r.apply = func(s *section) error {
		s.exact = append(s.exact, exactRule{argv, dir, &r})
		return nil
	}
	return r
}

// AllowCommand allows a command by a policy's own words, in which * and a last
// ** are patterns.
func AllowCommand(words []string, pos yamldoc.Pos) Rule {
	r := Rule{Text: quoteWords(words), Pos: pos, words: slices.Clone(words)}
	r.apply = func(s *section) error { return s.execAllow.add(&r) }
	return r
}

// AllowEnv allows a variable to reach a child, and to be looked at. A * in its
// name stands for any characters.
func AllowEnv(name string, pos yamldoc.Pos) Rule {
	return made(name, pos, func(s *section, r *Rule) error { return s.pass.allow.add(r) })
}

// InheritEnv gives a child the user's whole environment.
func InheritEnv() Rule {
	return made("the user's environment", yamldoc.Pos{}, func(s *section, _ *Rule) error {
		s.inherit = true
		return nil
	})
}

// AllowRead allows the files that a pattern matches to be read.
func AllowRead(pattern string, pos yamldoc.Pos) Rule {
	return made(pattern, pos, func(s *section, r *Rule) error { return s.read.allow.add(r) })
}

// AllowLoad allows the variables of the dotenv files that a pattern matches to
// be given to what runs. The files may not be read for that.
func AllowLoad(pattern string, pos yamldoc.Pos) Rule {
	return made(pattern, pos, func(s *section, r *Rule) error { return s.load.allow.add(r) })
}

// AllowConnect allows a port of this machine's loopback to be connected to. New
// refuses one that is not from 1 to 65535.
func AllowConnect(port int, pos yamldoc.Pos) Rule {
	return made(strconv.Itoa(port), pos, func(s *section, r *Rule) error { return s.connect.allow.add(r) })
}

// AllowContext allows images to be built from exactly that directory.
func AllowContext(directory string, pos yamldoc.Pos) Rule {
	return made(directory, pos, func(s *section, r *Rule) error { return s.contexts.allow.addExact(r) })
}

// AllowArg allows a build argument to be set. A * in its name stands for any
// characters.
func AllowArg(name string, pos yamldoc.Pos) Rule {
	return made(name, pos, func(s *section, r *Rule) error { return s.args.allow.add(r) })
}

// AllowTag allows an image to have exactly that reference.
func AllowTag(tag string) Rule {
	return made(tag, yamldoc.Pos{}, func(s *section, r *Rule) error { return s.tags.allow.addExact(r) })
}

// AllowImage allows images to be looked for, by a pattern of references.
func AllowImage(pattern string) Rule {
	return made(pattern, yamldoc.Pos{}, func(s *section, r *Rule) error { return s.images.add(r) })
}

// AllowPush allows images to be sent to their registry.
func AllowPush() Rule {
	return made("push", yamldoc.Pos{}, func(s *section, _ *Rule) error {
		s.push = true
		return nil
	})
}

func made(text string, pos yamldoc.Pos, apply func(*section, *Rule) error) Rule {
	r := Rule{Text: text, Pos: pos}
	r.apply = func(s *section) error { return apply(s, &r) }
	return r
}

// of lists the sections that hold for a provider.
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
