package capability

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// EnvKind is what would be done with a variable.
type EnvKind int

// The uses of a variable.
const (
	Set  EnvKind = iota // the provider gives it to a child, with a value of its own
	Pass                // the host's value reaches a child, unseen by the provider
	Look                // the provider learns whether it is set
)

// EnvUse is a variable that would be used.
type EnvUse struct {
	Name string  `json:"name"`
	Use  EnvKind `json:"use"`
	// From is the dotenv file that defines the variable or refers to it. The
	// provider must not learn its name then.
	From string `json:"from,omitempty"`
}

var envKinds = []string{Set: "set", Pass: "pass", Look: "look"}

// MarshalText implements [encoding.TextMarshaler].
func (k EnvKind) MarshalText() ([]byte, error) { return useText(envKinds, int(k)) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *EnvKind) UnmarshalText(text []byte) error {
	i, err := parseUse(envKinds, text)
	*k = EnvKind(i)
	return err
}

// environment are the variables that a child gets, and those that a provider
// may look at.
var environment = family{
	operations: []string{"env_status"},
	keys: func() []Key {
		return []Key{
			{name: "env.pass", index: func() index { return new(passed) }, covers: passCovers, miss: func(_ *Key, p Part, r *Rule) (int, string) {
				if why, hazard := Dangerous(p.text); hazard && glob(r.Text, p.text) {
					return 70, fmt.Sprintf("a pattern does not match %s, since %s", p.text, why)
				}
				return missText(p.text, r.Text)
			}},
			{name: "env.read", index: func() index { return new(variables) }},
		}
	},
	asked: func(c *Claim) bool { return len(c.Env) > 0 },
	fault: func(c *Claim) string {
		for _, use := range c.Env {
			if !isName(use.Name) || use.Use < Set || use.Use > Look {
				return fmt.Sprintf("%q is not the name of a variable, or its use is unknown", use.Name)
			}
		}
		return ""
	},
	words: func(c *Claim, s *sentence) {
		var names []string
		for _, use := range c.Env {
			if use.From == "" {
				names = append(names, use.Name)
			}
		}
		if names != nil {
			s.with = append(s.with, quoteList(names))
		}
	},
	decide: func(e *evaluation) {
		for _, use := range e.claim.Env {
			e.env(use)
		}
	},
	parts: func(c *Claim) []Part {
		var all []Part
		for _, use := range c.Env {
			p := Part{Keys: []string{"env.pass"}, Claim: c.alone(), text: use.Name}
			if use.Use == Look {
				p.Keys = []string{"env.read", "env.pass"}
			}
			p.Claim.Env = []EnvUse{use}
			all = append(all, p)
		}
		return all
	},
	requests: []request{{key: "look", operation: "env_status", read: func(r *reader, _, value *yamldoc.Node, c *Claim) { c.Env = r.uses(value, Look) }}},
}

// uses reads the names of variables in a policy test.
func (r *reader) uses(n *yamldoc.Node, use EnvKind) []EnvUse {
	var all []EnvUse
	for _, name := range r.texts(n) {
		all = append(all, EnvUse{Name: name, Use: use})
	}
	return all
}

// AllowEnv allows a variable to reach a child, and to be looked at. A * in its
// name matches any characters.
func AllowEnv(name string, pos yamldoc.Pos) Rule { return allowIn("env.pass", name, pos) }

// InheritEnv gives a child the user's whole environment.
func InheritEnv() Rule {
	return made("the user's environment", yamldoc.Pos{}, func(s *section, _ *Rule) error {
		s.inherit = true
		return nil
	})
}

func (e *evaluation) env(use EnvUse) {
	why, hazard := "", false
	if use.Use != Look {
		why, hazard = Dangerous(use.Name)
	}
	allow, deny := e.find(func(s *section) (*Rule, *Rule) { return s.passes(use.Name, hazard) })
	if use.Use == Look {
		look, unseen := e.list("env.read", use.Name)
		allow, deny = first(allow, look), first(deny, unseen)
	}
	e.settle(allow, deny, func() Grant {
		switch {
		case use.Use == Look:
			return grantOf("env.read", use.Name)
		case hazard && strings.Contains(use.Name, "*"):
			e.cannot(use.Name + " cannot be named in full, and " + why)
		case hazard:
			e.why = use.Name + " must be named in full, since " + why
		}
		return grantOf("env.pass", use.Name)
	})
}

// passes returns what the rules of env.pass say of a variable. With literal set,
// patterns do not allow it.
func (s *section) passes(name string, literal bool) (allow, deny *Rule) {
	of := s.lists["env.pass"]
	if of == nil {
		return nil, nil
	}
	return of.allow.(*passed).find(name, literal), of.deny.denies(name)
}

// variables finds rules for the names of variables and arguments.
type variables struct{ names }

func (v *variables) add(r *Rule) error {
	if !isName(r.Text) {
		return errors.New("is not a name: it is empty, or has = or NUL in it")
	}
	return v.names.add(r)
}

// passed finds rules for variables that reach a child: dangerous ones must be
// named in full.
type passed struct{ variables }

func (v *passed) allows(name string) *Rule {
	_, hazard := Dangerous(name)
	return v.find(name, hazard)
}

func passCovers(deny bool, a, b *Rule) bool {
	if _, hazard := Dangerous(b.Text); hazard && !deny && !strings.Contains(b.Text, "*") {
		return a.Text == b.Text
	}
	return globCovers(a.Text, b.Text)
}

// isName reports whether a variable or an argument can have the name.
func isName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsAny(name, "=\x00")
}

// baseline are the variables that every child gets: what programs need on any
// system, and what describes the user's terminal and language. A * matches
// any characters. Case does not matter, since on Windows PATH is usually written
// Path.
var baseline = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_*", "TERM", "COLORTERM", "TZ", "TMPDIR",
	// Few programs run on Windows without these.
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
	"PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432", "COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS",
}

// PassedEnv picks from the host's environment, "NAME=value" each, what a child
// gets before the provider's own values: the baseline, and what every policy
// passes. Of two entries with one name the last counts. The result is sorted.
func PassedEnv(policies []*Policy, provider string, environ []string) []string {
	passed := make(map[string]string)
	for _, entry := range environ {
		name, _, ok := strings.Cut(entry, "=")
		if ok && name != "" && passes(policies, provider, name) {
			passed[name] = entry
		}
	}
	return slices.Sorted(maps.Values(passed))
}

func passes(policies []*Policy, provider, name string) bool {
	if len(policies) == 0 {
		return IsBaseline(name)
	}
	for _, p := range policies {
		if !p.passes(provider, name) {
			return false
		}
	}
	return true
}

func (p *Policy) passes(provider, name string) bool {
	_, hazard := Dangerous(name)
	allowed := IsBaseline(name)
	for _, s := range p.of(provider) {
		allow, deny := s.passes(name, hazard)
		if deny != nil {
			return false
		}
		allowed = allowed || s.inherit || allow != nil
	}
	return allowed
}

// IsBaseline reports whether every child gets a variable, unless a policy denies it.
func IsBaseline(name string) bool {
	upper := strings.ToUpper(name)
	return slices.ContainsFunc(baseline, func(b string) bool { return glob(b, upper) })
}
