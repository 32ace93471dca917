package capability

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// builds are the images that may be built and looked for.
var builds = family{
	operations: []string{"docker_build", "docker_image"},
	keys: func() []Key {
		var all []Key
		for i := range buildLists {
			all = append(all, buildLists[i].key())
		}
		return append(all,
			Key{name: "build.network", parse: networkKey, value: widest},
			Key{name: "build.push", value: func(rules []string) string { return rules[0] }, parse: func(r *reader, _ *Key, n *yamldoc.Node, s *section) {
				s.build.push = r.isTrue(n)
			}},
			Key{name: "build.require_digest", setting: true, parse: digestKey})
	},
	asked: func(c *Claim) bool { return c.Build != nil || c.Image != "" },
	fault: func(c *Claim) string {
		if c.Build == nil {
			return ""
		}
		return c.Build.fault()
	},
	words: func(c *Claim, s *sentence) {
		if c.Build != nil {
			s.does = append(s.does, c.Build.words()...)
		}
		if c.Image != "" {
			s.uses = append(s.uses, yamldoc.Word(c.Image))
		}
	},
	decide: func(e *evaluation) {
		if b := e.claim.Build; b != nil {
			e.build(b)
		}
		if image := e.claim.Image; image != "" {
			allow, deny := e.find(func(s *section) (*Rule, *Rule) {
				allow, deny := s.find("build.tags", image)
				return first(s.build.images.allows(image), allow), deny
			})
			e.settle(allow, deny, func() Grant { return grantOf("build.tags", image) })
		}
	},
	parts: func(c *Claim) []Part {
		if c.Build == nil {
			return nil
		}
		var all []Part
		for i := range buildLists {
			for _, text := range buildLists[i].texts(c.Build) {
				all = append(all, Part{Keys: []string{buildLists[i].name}, Claim: *c, text: text})
			}
		}
		return all
	},
	requests: []request{{key: "build", operation: "docker_build", beside: []string{"env", "load"}, read: (*reader).buildRequest, words: buildDetails}},
}

// buildSettings are what a section says of builds besides its lists.
type buildSettings struct {
	images  references // that may be looked for, besides tags
	digests *Rule      // require_digest, where it is true
	network network
	push    bool
}

func networkKey(r *reader, k *Key, n *yamldoc.Node, s *section) {
	most, ok := networks[n.Text()]
	if !ok || n.Text() == "" {
		r.problems.Wrong(n, fmt.Sprintf("%q is not a network", n.Text()), "use none, default or host")
	}
	s.build.network = most
	r.values(k, n)
}

func digestKey(r *reader, _ *Key, n *yamldoc.Node, s *section) {
	if r.isTrue(n) {
		s.build.digests = &Rule{Text: "require_digest: true", Pos: n.Pos()}
		r.policy.digests = append(r.policy.digests, List{Provider: r.provider, Key: "build.bases", Rules: []*Rule{s.build.digests}})
	}
}

func (e *evaluation) build(b *Build) {
	for i := range buildLists {
		l := &buildLists[i]
		for _, text := range l.texts(b) {
			if !e.needsNone(l, text) {
				e.listed(l, text)
			}
		}
	}
	e.dockerfile(b)
	if b.Engine == "" && (e.states("build.bases") || e.wantsDigests() != nil) {
		e.cannot("it is not known which images it builds on")
	}
	e.digests(b)
	e.network(networks[b.Network])
	if b.Push && !slices.ContainsFunc(e.sections, func(s *section) bool { return s.build.push }) {
		e.miss(Grant{Key: "build.push", Rule: "true"})
	}
}

// needsNone reports whether a text needs no rule.
func (e *evaluation) needsNone(l *buildList, text string) bool {
	if slices.ContainsFunc(e.sections, func(s *section) bool { return s.lists[l.name] != nil && s.lists[l.name].any }) {
		return true // a policy made in code denies nothing
	}
	if e.states(l.name) {
		return false
	}
	// Without a section all is missing, so that the proposed rules name it.
	return l.open && len(e.sections) > 0 || l.free != nil && l.free(text)
}

// states reports whether the policy has a list, even an empty one: no other text is
// allowed then.
func (e *evaluation) states(key string) bool {
	return slices.ContainsFunc(e.sections, func(s *section) bool { return s.lists[key] != nil })
}

func (e *evaluation) listed(l *buildList, text string) {
	allow, deny := e.list(l.name, text)
	e.settle(allow, deny, func() Grant {
		rule, ok := l.ruleFor(text)
		if !ok {
			e.cannot(yamldoc.Word(text) + " has no digest, and a tag can change")
		}
		return grantOf(l.name, rule)
	})
}

// dockerfile is allowed in its own context, all of which is sent anyway, and in
// any context that is allowed. Elsewhere it is a file that is read.
func (e *evaluation) dockerfile(b *Build) {
	for dir := b.Dockerfile; dir != "."; {
		dir = path.Dir(dir)
		if dir == b.Context {
			return
		}
		if allow, deny := e.list("build.contexts", dir); allow != nil && deny == nil {
			return
		}
	}
	e.file(FileUse{Path: b.Dockerfile, Use: Read})
}

// digests denies images without a digest, where the policy requires one.
func (e *evaluation) digests(b *Build) {
	rule := e.wantsDigests()
	if rule == nil {
		return
	}
	for _, base := range b.Bases {
		if !strings.Contains(base, "@") {
			e.want(rule, yamldoc.Word(base)+" has none")
		}
	}
}

func (e *evaluation) wantsDigests() *Rule {
	var rule *Rule
	for _, s := range e.sections {
		rule = first(rule, s.build.digests)
	}
	return rule
}

func (e *evaluation) network(asked network) {
	most := networkUnset
	for _, s := range e.sections {
		most = max(most, s.build.network)
	}
	if most == networkUnset {
		most = networkDefault
	}
	if asked > most {
		e.miss(Grant{Key: "build.network", Rule: asked.String()})
	}
}

// AllowContext allows images to be built from exactly that directory.
func AllowContext(directory string, pos yamldoc.Pos) Rule {
	return inList("contexts", true, directory, pos, allowExactly)
}

// AllowTag allows an image to have exactly that reference.
func AllowTag(tag string) Rule { return inList("tags", true, tag, yamldoc.Pos{}, allowExactly) }

// AllowArg allows a build argument to be set. A * in its name matches any
// characters.
func AllowArg(name string, pos yamldoc.Pos) Rule { return allowIn("build.args", name, pos) }

// AllowImage allows images to be looked for, by a pattern of references.
func AllowImage(pattern string) Rule {
	return made(pattern, yamldoc.Pos{}, func(s *section, r *Rule) error { return s.build.images.add(r) })
}

// AllowPush allows images to be sent to their registry.
func AllowPush() Rule {
	return made("push", yamldoc.Pos{}, func(s *section, _ *Rule) error {
		s.build.push = true
		return nil
	})
}

// AllowBuild allows builds exactly that text in the list of the section build with
// that key, such as secrets. It is written as a [Build] has it. New refuses an
// unknown list, and a text that no build can have.
func AllowBuild(key, text string, pos yamldoc.Pos) Rule {
	return inList(key, false, text, pos, allowExactly)
}

// AllowAnyBuild allows builds whatever they have for the list with that key: it
// is for what somebody else than the provider chooses.
func AllowAnyBuild(key string) Rule {
	return inList(key, false, "any "+key, yamldoc.Pos{}, func(_ *buildList, of *rules, _ *Rule) error {
		of.any = true
		return nil
	})
}

// BoundBuild allows nothing. It limits builds to what other rules allow of a
// list without which everything is allowed.
func BoundBuild(key string) Rule {
	return inList(key, false, "no other "+key, yamldoc.Pos{}, func(*buildList, *rules, *Rule) error { return nil })
}

func inList(key string, fixed bool, text string, pos yamldoc.Pos, apply func(*buildList, *rules, *Rule) error) Rule {
	return made(text, pos, func(s *section, r *Rule) error {
		k := KeyOf("build." + key)
		if k == nil || k.list == nil || k.list.fixed != fixed {
			return fmt.Errorf("is of the unknown list build.%s", key)
		}
		return apply(k.list, s.rulesOf(k), r)
	})
}

func allowExactly(l *buildList, of *rules, r *Rule) error {
	if r.Text == "" {
		return errors.New("is empty")
	}
	if fault := l.fault(r.Text); fault != "" {
		return errors.New(fault)
	}
	of.exact[r.Text] = first(of.exact[r.Text], r)
	return nil
}

// AllowNetwork allows the steps of builds to reach that network, and narrower
// ones.
func AllowNetwork(name string, pos yamldoc.Pos) Rule {
	return made(name, pos, func(s *section, _ *Rule) error {
		most, ok := networks[name]
		if !ok {
			return errors.New("is not a network")
		}
		s.build.network = max(s.build.network, most)
		return nil
	})
}
