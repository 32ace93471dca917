package capability

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Version is the version of policy files that is read.
const Version = "1"

// Parse reads a policy file; file is its name in messages.
//
// # Errors
//
// yamldoc.Problems, all that are found, each with its line.
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

// reader gathers all that is wrong.
type reader struct {
	problems yamldoc.Problems
	// policy and provider are what lists of rules belong to.
	policy   *Policy
	provider string
}

func (r *reader) wrong(n *yamldoc.Node, message, hint string) {
	r.problems.Add(n.Pos(), n.Field(), message, hint)
}

func (r *reader) expected(n *yamldoc.Node, want string) {
	r.wrong(n, fmt.Sprintf("is %s, expected %s", n.Kind(), want), "")
}

// mapping calls read for each key of a mapping that it knows.
func (r *reader) mapping(n *yamldoc.Node, what string, read map[string]func(*yamldoc.Node)) {
	if n.Kind() != yamldoc.KindMap {
		r.expected(n, what)
		return
	}
	known := make([]string, 0, len(read))
	for key := range read {
		known = append(known, key)
	}
	for _, e := range n.Entries() {
		if f, ok := read[e.Key]; ok {
			f(e.Value)
			continue
		}
		r.problems = append(r.problems, yamldoc.UnknownKey(e, known))
	}
}

func (r *reader) document(root *yamldoc.Node, p *Policy) {
	const hint = "begin the file with:\nversion: 1"
	if root.Kind() == yamldoc.KindNull {
		r.wrong(root, "the policy is empty", hint)
		return
	}
	r.mapping(root, "a mapping", map[string]func(*yamldoc.Node){
		"version": func(n *yamldoc.Node) {
			if n.Kind() != yamldoc.KindInt || n.Text() != Version {
				r.wrong(n, fmt.Sprintf("%q is not known, this stagecraft reads version 1", n.Text()), "")
			}
		},
		"require":   func(n *yamldoc.Node) { r.require(n, &p.Require) },
		"providers": func(n *yamldoc.Node) { r.providers(n, p) },
		"accept":    func(n *yamldoc.Node) { r.accept(n, p) },
	})
	if root.Kind() == yamldoc.KindMap && root.Get("version") == nil {
		r.wrong(root, "version is missing", hint)
	}
}

var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (r *reader) providers(n *yamldoc.Node, p *Policy) {
	if n.Kind() != yamldoc.KindMap {
		r.expected(n, "a mapping of provider IDs to what they may do")
		return
	}
	for _, e := range n.Entries() {
		if e.Key != anyProvider && !providerID.MatchString(e.Key) {
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
	keys := r.confineKeys(&s.confine)
	maps.Copy(keys, map[string]func(*yamldoc.Node){
		"exec": func(n *yamldoc.Node) { r.rules(n, "exec", &s.execAllow, &s.execDeny, r.command) },
		"env": func(n *yamldoc.Node) {
			r.mapping(n, "a mapping", map[string]func(*yamldoc.Node){
				"pass": func(n *yamldoc.Node) { r.rules(n, "env.pass", &s.pass.allow, &s.pass.deny, r.text) },
				"read": func(n *yamldoc.Node) { r.rules(n, "env.read", &s.look.allow, &s.look.deny, r.text) },
			})
		},
		"files": func(n *yamldoc.Node) {
			s.confine.files, s.confine.pos = true, n.Pos()
			r.mapping(n, "a mapping", map[string]func(*yamldoc.Node){
				"read": func(n *yamldoc.Node) { r.rules(n, "files.read", &s.read.allow, &s.read.deny, r.text) },
				// The operation "list" takes files.read: this is for commands alone.
				"list":  func(n *yamldoc.Node) { r.list(n, List{Key: "files.list"}, listedDirectories{}, r.text) },
				"env":   func(n *yamldoc.Node) { r.rules(n, "files.env", &s.load.allow, &s.load.deny, r.text) },
				"write": func(n *yamldoc.Node) { r.rules(n, "files.write", &s.write.allow, &s.write.deny, r.text) },
			})
		},
		"build": func(n *yamldoc.Node) { r.build(n, s) },
		"net": func(n *yamldoc.Node) {
			s.confine.net, s.confine.pos = true, n.Pos()
			r.mapping(n, "a mapping", map[string]func(*yamldoc.Node){
				"connect": func(n *yamldoc.Node) { r.rules(n, "net.connect", &s.connect.allow, &s.connect.deny, r.ports) },
				// No operation listens: this is for commands alone.
				"listen": func(n *yamldoc.Node) { r.list(n, List{Key: "net.listen"}, listened{}, r.listenPorts) },
			})
		},
	})
	r.mapping(n, "a mapping", keys)
}

func (r *reader) build(n *yamldoc.Node, s *section) {
	keys := r.textKeys(s)
	maps.Copy(keys, map[string]func(*yamldoc.Node){
		"contexts": func(n *yamldoc.Node) { r.rules(n, "build.contexts", &s.contexts.allow, &s.contexts.deny, r.text) },
		"tags":     func(n *yamldoc.Node) { r.rules(n, "build.tags", &s.tags.allow, &s.tags.deny, r.text) },
		"args":     func(n *yamldoc.Node) { r.rules(n, "build.args", &s.args.allow, &s.args.deny, r.text) },
		"network": func(n *yamldoc.Node) {
			most, ok := networks[n.Text()]
			if !ok || n.Text() == "" {
				r.wrong(n, fmt.Sprintf("%q is no network", n.Text()), "use none, default or host")
			}
			s.network = most
			r.values("build.network", n)
		},
		"push": func(n *yamldoc.Node) {
			if n.Kind() != yamldoc.KindBool {
				r.expected(n, "true or false")
			}
			s.push = n.Text() == "true"
		},
	})
	r.mapping(n, "a mapping", keys)
}

// values keeps where single words stand, for [Check].
func (r *reader) values(key string, nodes ...*yamldoc.Node) {
	list := List{Provider: r.provider, Key: key}
	for _, n := range nodes {
		list.Rules = append(list.Rules, &Rule{Text: n.Text(), Pos: n.Pos()})
	}
	r.policy.values = append(r.policy.values, list)
}

// index is what rules are put into to be found again.
type index interface{ add(*Rule) error }

// rules reads a list of rules, which is what it allows, or a mapping of allow
// and deny to one each.
func (r *reader) rules(n *yamldoc.Node, key string, allow, deny index, read func(*yamldoc.Node) *Rule) {
	if n.Kind() != yamldoc.KindMap {
		r.list(n, List{Key: key}, allow, read)
		return
	}
	r.mapping(n, "a list of rules", map[string]func(*yamldoc.Node){
		"allow": func(n *yamldoc.Node) { r.list(n, List{Key: key}, allow, read) },
		"deny":  func(n *yamldoc.Node) { r.list(n, List{Key: key, Deny: true}, deny, read) },
	})
}

func (r *reader) list(n *yamldoc.Node, list List, into index, read func(*yamldoc.Node) *Rule) {
	if n.Kind() != yamldoc.KindList {
		r.expected(n, "a list of rules")
		return
	}
	seen := make(map[string]yamldoc.Pos)
	for _, item := range n.Items() {
		rule := read(item)
		if rule == nil {
			continue
		}
		if pos, ok := seen[rule.key()]; ok {
			r.wrong(item, fmt.Sprintf("rule %q stands here a second time, the first is at line %d", rule.Text, pos.Line), "remove one of the two")
			continue
		}
		seen[rule.key()] = item.Pos()
		list.Rules = append(list.Rules, rule)
		if err := into.add(rule); err != nil {
			r.wrong(item, fmt.Sprintf("rule %q %v", rule.Text, err), "")
		}
	}
	list.Provider = r.provider
	r.policy.lists = append(r.policy.lists, list)
}

func (r *reader) text(n *yamldoc.Node) *Rule {
	if n.Kind() != yamldoc.KindString {
		r.expected(n, "a string: put it in quotes")
		return nil
	}
	return &Rule{Text: n.Text(), Pos: n.Pos()}
}

// command reads the words of a command: a list of them, or a string that is
// split at blanks and nowhere else.
func (r *reader) command(n *yamldoc.Node) *Rule {
	rule := &Rule{Pos: n.Pos()}
	switch n.Kind() {
	case yamldoc.KindString:
		if strings.ContainsAny(n.Text(), `"'\`+"`") {
			r.wrong(n, fmt.Sprintf("rule %q has a quote in it, and rules are split at blanks alone", n.Text()), `write it as a list: [node, "-e", "a b"]`)
			return nil
		}
		rule.words = strings.Fields(n.Text())
		rule.Text = n.Text()
	case yamldoc.KindList:
		for _, item := range n.Items() {
			if item.Kind() != yamldoc.KindString {
				r.expected(item, "a string: put it in quotes")
				return nil
			}
			rule.words = append(rule.words, item.Text())
		}
		rule.Text = quoteWords(rule.words)
	case yamldoc.KindMap:
		return r.pinned(n)
	default:
		r.expected(n, "a command: a string, a list of words, or a mapping of command and sha256")
		return nil
	}
	return rule
}

// pinned reads a command whose program is one file alone.
func (r *reader) pinned(n *yamldoc.Node) *Rule {
	var rule *Rule
	var digest string
	r.mapping(n, "a command", map[string]func(*yamldoc.Node){
		"command": func(n *yamldoc.Node) {
			if n.Kind() == yamldoc.KindMap {
				r.expected(n, "a command: a string, or a list of words")
				return
			}
			rule = r.command(n)
		},
		"sha256": func(n *yamldoc.Node) { digest = r.digest(n) },
	})
	if n.Get("command") == nil || n.Get("sha256") == nil {
		r.wrong(n, "a rule that pins a program has command and sha256", "")
		return nil
	}
	if rule != nil {
		rule.sha256, rule.Pos = digest, n.Pos()
	}
	return rule
}
