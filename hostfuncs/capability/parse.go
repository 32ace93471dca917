package capability

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Version is the version of policy files that is read.
const Version = "1"

// Parse reads a policy file; file is its name in messages.
//
// # Errors
//
// yamldoc.Problems, all of the file, each with its place.
func Parse(file string, data []byte) (*Policy, error) {
	root, err := yamldoc.Parse(file, data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	p := &Policy{Name: file, Digest: hex.EncodeToString(sum[:]), sections: make(map[string]*section)}
	r := reader{}
	r.document(root, p)
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// reader reads a policy, or a request of a policy test, and collects the problems.
type reader struct {
	problems yamldoc.Problems
	// policy and provider are those that lists of rules belong to.
	policy   *Policy
	provider string
}

// mapping calls read for each key of a mapping that it knows.
func (r *reader) mapping(n *yamldoc.Node, what string, read map[string]func(*yamldoc.Node)) {
	if n.Kind() != yamldoc.KindMap {
		r.problems.Expected(n, what)
		return
	}
	for _, e := range n.Entries() {
		if f, ok := read[e.Key]; ok {
			f(e.Value)
			continue
		}
		r.problems = append(r.problems, yamldoc.UnknownKey(e, slices.Collect(maps.Keys(read))))
	}
}

func (r *reader) document(root *yamldoc.Node, p *Policy) {
	const hint = "begin the file with:\nversion: 1"
	if root.Kind() == yamldoc.KindNull {
		r.problems.Wrong(root, "the policy is empty", hint)
		return
	}
	r.mapping(root, "a mapping", map[string]func(*yamldoc.Node){
		"version": func(n *yamldoc.Node) {
			if n.Kind() != yamldoc.KindInt || n.Text() != Version {
				r.problems.Wrong(n, fmt.Sprintf("unknown version %q, this stagecraft reads version 1", n.Text()), "")
			}
		},
		"require":   func(n *yamldoc.Node) { r.require(n, &p.Require) },
		"providers": func(n *yamldoc.Node) { r.providers(n, p) },
		"accept":    func(n *yamldoc.Node) { r.accept(n, p) },
	})
	if root.Kind() == yamldoc.KindMap && root.Get("version") == nil {
		r.problems.Wrong(root, "version is required", hint)
	}
}

func (r *reader) providers(n *yamldoc.Node, p *Policy) {
	if n.Kind() != yamldoc.KindMap {
		r.problems.Expected(n, "a mapping of provider IDs to what they may do")
		return
	}
	for _, e := range n.Entries() {
		if e.Key != anyProvider && !isProviderID(e.Key) {
			r.problems.Add(e.KeyPos, n.Field(), fmt.Sprintf("%q is not a provider ID", e.Key), `use an ID, or "*" for all providers`)
			continue
		}
		s := new(section)
		p.sections[e.Key] = s
		r.policy, r.provider = p, e.Key
		r.section(e.Value, s)
	}
}

func (r *reader) section(n *yamldoc.Node, s *section) {
	if n.Kind() == yamldoc.KindNull {
		return
	}
	top, nested := make(map[string]func(*yamldoc.Node)), make(map[string]map[string]func(*yamldoc.Node))
	for i := range allKeys() {
		k := &allKeys()[i]
		mapping, name, ok := strings.Cut(k.name, ".")
		read := func(n *yamldoc.Node) { r.key(n, k, s) }
		if !ok {
			top[k.name] = read
			continue
		}
		if nested[mapping] == nil {
			nested[mapping] = make(map[string]func(*yamldoc.Node))
			top[mapping] = func(n *yamldoc.Node) {
				s.confine.begin(mapping, n.Pos())
				r.mapping(n, "a mapping", nested[mapping])
			}
		}
		nested[mapping][name] = read
	}
	r.mapping(n, "a mapping", top)
}

// key reads the value of one key of a section.
func (r *reader) key(n *yamldoc.Node, k *Key, s *section) {
	if k.parse != nil {
		k.parse(r, k, n, s)
		return
	}
	of := s.rulesOf(k)
	r.rules(n, k, of.allow, of.deny)
}

// values keeps the places of single words, for checks.
func (r *reader) values(k *Key, nodes ...*yamldoc.Node) {
	list := List{Provider: r.provider, Key: k.name}
	for _, n := range nodes {
		list.Rules = append(list.Rules, &Rule{Text: n.Text(), Pos: n.Pos()})
	}
	r.policy.values = append(r.policy.values, list)
}

// rules reads a list of rules, which it allows, or a mapping of allow and deny to
// one each.
func (r *reader) rules(n *yamldoc.Node, k *Key, allow, deny adder) {
	if n.Kind() != yamldoc.KindMap {
		r.list(n, k, List{Key: k.name}, allow)
		return
	}
	r.mapping(n, "a list of rules", map[string]func(*yamldoc.Node){
		"allow": func(n *yamldoc.Node) { r.list(n, k, List{Key: k.name}, allow) },
		"deny":  func(n *yamldoc.Node) { r.list(n, k, List{Key: k.name, Deny: true}, deny) },
	})
}

func (r *reader) list(n *yamldoc.Node, k *Key, list List, into adder) {
	if n.Kind() != yamldoc.KindList {
		r.problems.Expected(n, "a list of rules")
		return
	}
	seen := make(map[string]yamldoc.Pos)
	for _, item := range n.Items() {
		rule := r.rule(item, k)
		if rule == nil {
			continue
		}
		if pos, ok := seen[rule.key()]; ok {
			r.problems.Wrong(item, fmt.Sprintf("duplicate rule %q (first at line %d)", rule.Text, pos.Line), "remove one of the two")
			continue
		}
		seen[rule.key()] = item.Pos()
		list.Rules = append(list.Rules, rule)
		if err := into.add(rule); err != nil {
			r.problems.Wrong(item, fmt.Sprintf("rule %q %v", rule.Text, err), "")
		}
	}
	list.Provider = r.provider
	r.policy.lists = append(r.policy.lists, list)
}

// rule reads a rule of a key, nil where it cannot be read.
func (r *reader) rule(n *yamldoc.Node, k *Key) *Rule {
	if k.rule != nil {
		return k.rule(r, n)
	}
	if n.Kind() != yamldoc.KindString {
		r.problems.Expected(n, "a string: put it in quotes")
		return nil
	}
	return &Rule{Text: n.Text(), Pos: n.Pos()}
}

func (r *reader) isTrue(n *yamldoc.Node) bool {
	if n != nil && n.Kind() != yamldoc.KindBool {
		r.problems.Expected(n, "true or false")
	}
	return n != nil && n.Text() == "true"
}

// isHex reports whether a text is a SHA-256 in hex.
func isHex(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// isProviderID reports whether a text can be the ID of a provider.
func isProviderID(text string) bool {
	return text != "" && len(text) <= 63 && text[0] != '-' && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
