package capability

import (
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// family is one kind of right, such as commands or files: the part of a claim
// that it decides, the keys of a policy that grant it, and how it is explained
// and tested. All that is known of a kind of right is in its own file.
type family struct {
	// operations are those of the ABI that ask for this right.
	operations []string
	// keys lists the keys of a provider's section, in the order of a snippet.
	keys func() []Key
	// asked reports whether the claim asks for this right at all.
	asked func(*Claim) bool
	// fault says why no rule could allow what the claim asks for; empty where
	// one could. Rules are matched by text, so a claim must have a text in the
	// one way in which it is written: not a/../b.
	fault func(*Claim) string
	// words describe what is asked for.
	words func(*Claim, *sentence)
	// decide looks for the rules of one policy.
	decide func(*evaluation)
	// parts takes what is asked for apart, for near misses.
	parts func(*Claim) []Part
	// requests are the ways to ask for this right in a policy test.
	requests []request
}

// families is the table of all kinds of rights, in the order of messages and
// snippets. A new kind is a file, its line here, and its field of [Claim].
func families() []*family {
	return []*family{&commands, &daemons, &environment, &files, &builds, &nets, &basics, &confines}
}

// isOperation reports whether a claim can be of an operation. No rule was written
// with another one in mind.
func isOperation(name string) bool {
	return slices.ContainsFunc(families(), func(f *family) bool { return slices.Contains(f.operations, name) })
}

// Key is one key of a provider's section, and what the rules of it mean.
type Key struct {
	name string // as messages have it, such as exec or env.pass
	// setting marks a key without rules: nothing of it is granted or accepted.
	setting bool
	// parse reads the value. Nil reads lists of rules, allowed and denied.
	parse func(r *reader, k *Key, n *yamldoc.Node, s *section)
	// rule reads one rule. Nil reads a string.
	rule func(*reader, *yamldoc.Node) *Rule
	// index returns an index without rules; nil where parse is set.
	index func() index

	// covers reports whether a rule matches all that another one does. Nil
	// compares names, in which * matches any characters.
	covers func(deny bool, a, b *Rule) bool
	// denies is covers for a rule that denies and one that allows, where the
	// two are not matched alike.
	denies func(deny, allow *Rule) bool
	// search and deniedBy are [Key.SearchText] and [Key.DeniedBy], where the
	// text is not that of the rule.
	search   func(deny bool, r *Rule) string
	deniedBy func(allow *Rule) []string
	// matches reports whether a rule allows a part of a claim. Nil asks an index.
	matches func(Part, *Rule) bool
	// miss is [Key.Miss]. Nil compares texts.
	miss func(*Key, Part, *Rule) (score int, why string)

	// confine adds what rules allow to commands once they run.
	confine func(*Confinement, []*Rule)
	// value writes the rules of a snippet. Nil writes a list.
	value func(rules []string) string

	list *buildList // of an image build
}

// index finds the rules of one list by a text.
type index interface {
	adder
	// allows finds a rule for exactly that text.
	allows(text string) *Rule
	// denies finds rules for the other ways to write the text too.
	denies(text string) *Rule
}

// adder takes rules, and refuses those without a meaning.
type adder interface{ add(*Rule) error }

// allKeys are the keys of all families, in their order.
var allKeys = sync.OnceValue(func() []Key {
	var all []Key
	for _, f := range families() {
		if f.keys != nil {
			all = append(all, f.keys()...)
		}
	}
	return all
})

var keysByName = sync.OnceValue(func() map[string]*Key {
	byName := make(map[string]*Key)
	for i := range allKeys() {
		byName[allKeys()[i].name] = &allKeys()[i]
	}
	return byName
})

// Keys are the keys that can be granted, in the order of a snippet.
func Keys() []*Key {
	var all []*Key
	for i := range allKeys() {
		if k := &allKeys()[i]; !k.setting {
			all = append(all, k)
		}
	}
	return all
}

// KeyOf is the key of that name, such as env.pass; nil where there is none.
func KeyOf(name string) *Key { return keysByName()[name] }

// Name is the key with the mapping that it is in, such as env.pass.
func (k *Key) Name() string { return k.name }

// Value writes rules, each in YAML, as the value of the key.
func (k *Key) Value(rules []string) string {
	if k.value != nil {
		return k.value(rules)
	}
	return "[" + strings.Join(rules, ", ") + "]"
}

// Covers reports whether one rule of a list matches all that another one does. It
// may miss that two patterns are so related; it never says so of two that are
// not.
func (k *Key) Covers(deny bool, a, b *Rule) bool {
	if k.covers == nil {
		return globCovers(a.Text, b.Text)
	}
	return k.covers(deny, a, b)
}

// Denies reports whether a rule that denies matches all that one which allows
// does, with the limits of [Key.Covers].
func (k *Key) Denies(deny, allow *Rule) bool {
	if k.denies == nil {
		return k.Covers(true, deny, allow)
	}
	return k.denies(deny, allow)
}

// SearchText is the text by which a rule is found that may cover others. A text
// without a * covers only rules with the same text. Of any other, the part up to
// the first * is the beginning of the texts that it covers.
func (k *Key) SearchText(deny bool, r *Rule) string {
	if k.search == nil {
		return r.Text
	}
	return k.search(deny, r)
}

// DeniedBy are the texts by which rules are found that may deny all of a rule.
func (k *Key) DeniedBy(allow *Rule) []string {
	if k.deniedBy == nil {
		return []string{k.SearchText(true, allow)}
	}
	return k.deniedBy(allow)
}

// Part is one thing that a claim asks for.
type Part struct {
	// Keys are the names of the keys whose rules can allow it.
	Keys []string
	// Claim is the claim without its other parts, as far as they can be separated.
	Claim Claim

	exec *Exec
	text string
	// pattern means that the text stands for all that it matches.
	pattern bool
}

// Parts takes a claim apart. A claim that no rule could allow has none.
func (c Claim) Parts() []Part {
	if c.fault() != "" {
		return nil
	}
	var all []Part
	for _, f := range families() {
		if f.parts != nil {
			all = append(all, f.parts(&c)...)
		}
	}
	return all
}

// alone is the claim without any part.
func (c *Claim) alone() Claim {
	return Claim{Operation: c.Operation, Provider: c.Provider, Log: c.Log}
}

// Matches reports whether a rule of the key matches a part of a claim.
func (k *Key) Matches(p Part, r *Rule) bool {
	if k.matches != nil {
		return k.matches(p, r)
	}
	if k.index == nil {
		return false
	}
	one := k.index()
	return one.add(r) == nil && one.allows(p.text) != nil
}

// Miss says why a rule of the key does not match a part of a claim, and how near
// it is; 0 is not near.
func (k *Key) Miss(p Part, r *Rule) (score int, why string) {
	if k.miss != nil {
		return k.miss(k, p, r)
	}
	return missText(p.text, r.Text)
}

// section is what a policy says of one provider.
type section struct {
	exec commandRules
	// lists are the other lists of rules, by the names of their keys.
	lists   map[string]*rules
	inherit bool // the user's whole environment reaches a child
	build   buildSettings
	confine confinement
}

// rules are a section's rules of one key.
type rules struct {
	allow, deny index
	exact       map[string]*Rule // allowed in code; nothing is a pattern
	any         bool             // all is allowed in code
}

// rulesOf returns the section's rules of a key, and makes them where there are
// none yet.
func (s *section) rulesOf(k *Key) *rules {
	if s.lists == nil {
		s.lists = make(map[string]*rules)
	}
	if s.lists[k.name] == nil {
		s.lists[k.name] = &rules{allow: k.index(), deny: k.index(), exact: make(map[string]*Rule)}
	}
	return s.lists[k.name]
}

// find returns what the rules of a key say of a text.
func (s *section) find(key, text string) (allow, deny *Rule) {
	of := s.lists[key]
	if of == nil {
		return nil, nil
	}
	return first(of.allow.allows(text), of.exact[text]), of.deny.denies(text)
}

// allowIn makes a rule of a key's list, read as in a policy.
func allowIn(key, text string, pos yamldoc.Pos) Rule {
	return made(text, pos, func(s *section, r *Rule) error { return s.rulesOf(KeyOf(key)).allow.add(r) })
}
