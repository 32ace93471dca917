package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// existing is the policy that is added to; policy is nil for a new one.
type existing struct {
	file   string
	data   []byte
	policy *capability.Policy
	root   *yamldoc.Node
}

// readExisting reads the policy that is added to.
func readExisting(o Options) (*existing, error) {
	e := &existing{file: o.File, data: o.Into}
	if o.Into == nil {
		return e, nil
	}
	var err error
	if e.policy, err = capability.Parse(o.File, o.Into); err != nil {
		return nil, err
	}
	e.root, err = yamldoc.Parse(o.File, o.Into)
	return e, err
}

// missing are those of the lines for a claim that the policy lacks, and why it is not
// for learning to add them: what stands there is never put out of force.
func (e *existing) missing(c capability.Claim, needs []capability.Grant) (lacks []capability.Grant, why string) {
	if e.policy == nil {
		return needs, ""
	}
	d := capability.Decide([]*capability.Policy{e.policy}, c)
	for _, g := range d.Missing {
		switch {
		case g.Key == "exec" && c.Exec != nil && e.policy.Pins(c.Provider, c.Exec):
			return nil, d.Reason()
		case isScalar(g.Key):
			for _, id := range [2]string{c.Provider, "*"} {
				if n := e.at(id, g.Key); n != nil {
					return nil, fmt.Sprintf("%s says %s: %s", n.Pos(), g.Key, n.Text())
				}
			}
		}
	}
	if !d.Allowed && len(d.Missing) == 0 {
		return nil, d.Reason()
	}
	lacks = d.Missing
	for _, g := range needs {
		// The first section for builds is made with all of its bounds, as a new one is.
		if strings.HasPrefix(g.Key, "build.") && !e.builds(c.Provider) && !slices.Contains(lacks, g) {
			lacks = append(lacks, g)
		}
	}
	return lacks, ""
}

// builds tells whether the policy says something of the builds of a provider.
func (e *existing) builds(id string) bool {
	return e.at(id, "build") != nil || e.at("*", "build") != nil
}

// at is a key of a provider's section, nil where it is not there.
func (e *existing) at(id, key string) *yamldoc.Node {
	n := e.root.Get("providers").Get(id)
	for _, word := range strings.Split(key, ".") {
		n = n.Get(word)
	}
	return n
}

// add tells the lines that the provider's section is to have besides.
func (e *existing) add(p *provider, rules []capability.Grant, l *Learnt) {
	byKey := p.lines(rules)
	begins := e.settle(p, byKey)
	// That a provider has to be named at all is a rule without a key.
	if len(byKey) == 0 && !slices.Contains(rules, capability.Grant{}) {
		return
	}
	l.Added = append(l.Added, p.added(byKey)...)
	switch {
	case begins:
		l.Notes = append(l.Notes, fmt.Sprintf("%s confined no commands of provider %s until now; the lines of files and net that are added do", e.file, p.id))
	case p.old.Mode == capability.ConfineOff && p.unknown == "":
		l.Notes = append(l.Notes, fmt.Sprintf("%s says confine: off: remove that, and commands of provider %s are confined to what was learnt", p.old.Pos(), p.id))
	}
}

// settle takes out the lines that would not add anything, or that would take something
// away; it tells whether those that are left begin to confine commands.
func (e *existing) settle(p *provider, byKey map[string][]capability.Grant) (begins bool) {
	e.unbound(p, byKey)
	delete(byKey, "confine")
	for _, part := range [...]string{"files", "net"} {
		if p.old.free(part) || p.old.has(p.id, part) {
			delete(byKey, part)
		}
	}
	has := func(part string) bool {
		for key := range byKey {
			if key == part || strings.HasPrefix(key, part+".") {
				return true
			}
		}
		return false
	}
	if p.old.Mode != "" || !has("files") && !has("net") || !p.old.Commands && len(byKey["exec"]) == 0 {
		return false
	}
	if p.unknown == "" && p.runs() {
		return p.old.Commands
	}
	if p.unknown == "" {
		p.unknown = "no commands ran while this was learnt"
	}
	byKey["confine"] = []capability.Grant{{Key: "confine", Rule: "off"}}
	return false
}

// unbound takes out the bounds of builds where the policy says something of builds
// already: a key that is left out there may be left out on purpose. Only the first rule
// for engines elsewhere makes one of this machine need a rule.
func (e *existing) unbound(p *provider, byKey map[string][]capability.Grant) {
	if !e.builds(p.id) {
		return
	}
	for key, of := range byKey {
		if !strings.HasPrefix(key, "build.") {
			continue
		}
		needed := slices.DeleteFunc(slices.Clone(of), func(g capability.Grant) bool { return !p.needs(g) })
		if key == "build.engines" && len(needed) > 0 && !p.old.has(p.id, key) {
			continue
		}
		if byKey[key] = needed; len(needed) == 0 {
			delete(byKey, key)
		}
	}
}

// needs tells whether a line is one that a claim or a command needs.
func (p *provider) needs(g capability.Grant) bool {
	return slices.Contains(p.commands, g) || slices.ContainsFunc(p.needing, func(n needy) bool { return slices.Contains(n.needs, g) })
}

// text is the policy with the lines in it.
func (e *existing) text(added []Added) (string, error) {
	data := e.data
	for i := 0; i < len(added); {
		end := i + 1
		for end < len(added) && added[end].Provider == added[i].Provider && added[end].Key == added[i].Key {
			end++
		}
		a := yamldoc.Addition{Path: append([]string{"providers", added[i].Provider}, strings.FieldsFunc(added[i].Key, func(r rune) bool { return r == '.' })...)}
		first := added[i]
		switch {
		case first.Key == "" || isPart(first.Key) || isScalar(first.Key):
			a.Value = yamldoc.Item{Text: first.Rule, Remark: first.Remark}
		case first.Rule == "[]":
			a.Items = []yamldoc.Item{}
		default:
			if n := e.at(first.Provider, first.Key); n.Kind() == yamldoc.KindMap {
				a.Path = append(a.Path, "allow")
			}
			for _, line := range added[i:end] {
				a.Items = append(a.Items, yamldoc.Item{Text: line.Rule, Remark: line.Remark})
			}
		}
		var err error
		if data, err = yamldoc.Add(e.file, data, a); err != nil {
			return "", err
		}
		i = end
	}
	return string(data), nil
}

// oldSection is what a policy that is added to says of a provider.
type oldSection struct {
	capability.Confinement
	*existing
}

func (e *existing) said(id string) *oldSection {
	if e.policy == nil {
		return nil
	}
	return &oldSection{e.policy.Confinement(id), e}
}

// has tells whether a key is there, for the provider or for all.
func (o *oldSection) has(id, key string) bool {
	return o != nil && (o.at(id, key) != nil || o.at("*", key) != nil)
}

// free tells whether the policy says that commands use any file, or any port, and has
// commands: then that stays so.
func (o *oldSection) free(part string) bool {
	if o.Mode == "" || o.Mode == capability.ConfineOff || !o.Commands {
		return false
	}
	return part == "files" && o.Files == nil || part == "net" && o.Net == nil
}

// lacks are the rules for commands that a policy has not. Where it lets them use any
// file or port they need none, unless a rule for the provider itself begins to confine
// them.
func (o *oldSection) lacks(p *provider) []capability.Grant {
	if o == nil {
		return p.commands
	}
	begins := func(part string) bool {
		return slices.ContainsFunc(p.needing, func(n needy) bool {
			return slices.ContainsFunc(n.needs, func(g capability.Grant) bool { return strings.HasPrefix(g.Key, part+".") })
		})
	}
	files, net := !o.free("files") || begins("files"), !o.free("net") || begins("net")
	return slices.DeleteFunc(slices.Clone(p.commands), func(g capability.Grant) bool {
		switch {
		case strings.HasPrefix(g.Key, "net.") && !net, (strings.HasPrefix(g.Key, "files.") || g.Key == "use") && !files:
			return true
		}
		return o.allows(p.id, g)
	})
}

// allows tells whether commands may use what a line allows without it.
func (o *oldSection) allows(id string, g capability.Grant) bool {
	p, err := parse(explain.Snippet(id, []capability.Grant{g}))
	if err != nil {
		return false
	}
	one := p.Confinement(id)
	within := func(list []string, words []string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !slices.Contains(list, word) })
	}
	ok := within(o.Use, one.Use) && within(o.Sockets, one.Sockets)
	if one.Files != nil {
		ok = ok && o.Files != nil && o.holdFiles(one.Files)
	}
	if one.Net != nil {
		ok = ok && o.Net != nil && coverAll(o.Net.Connect, one.Net.Connect) && coverAll(o.Net.Listen, one.Net.Listen)
	}
	return ok
}

// holdFiles tells whether commands may use files and directories already. What they may
// write they may read, and what they may read they may list.
func (o *oldSection) holdFiles(f *capability.ConfinedFiles) bool {
	write := o.Files.Write
	read := slices.Concat(o.Files.Read, write)
	return holdAll(write, f.Write) && holdAll(read, f.Read) && holdAll(slices.Concat(o.Files.List, read), f.List)
}

// holdAll tells whether some places have all others in them.
func holdAll(list, others []capability.Subtree) bool {
	p := make(places)
	for _, s := range list {
		p.add(s)
	}
	return !slices.ContainsFunc(others, func(s capability.Subtree) bool { return !p.hold(s) })
}

func coverAll(list, others []capability.Ports) bool {
	return !slices.ContainsFunc(others, func(o capability.Ports) bool {
		return !slices.ContainsFunc(list, func(p capability.Ports) bool { return p.Low <= o.Low && o.High <= p.High })
	})
}
