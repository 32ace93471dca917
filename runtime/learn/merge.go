package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// existing is the existing policy; its policy is nil if there is none.
type existing struct {
	file   string
	data   []byte
	policy *capability.Policy
	root   *yamldoc.Node
}

// readExisting reads the existing policy.
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

// missing are the rules that the policy needs for a claim, or why they are not added: a
// new rule never overrides an existing line.
func (e *existing) missing(c capability.Claim, needs []capability.Grant) (missing []capability.Grant, why string) {
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
	missing = d.Missing
	for _, g := range needs {
		// The first section for builds has all of its bounds.
		if strings.HasPrefix(g.Key, "build.") && !e.builds(c.Provider) && !slices.Contains(missing, g) {
			missing = append(missing, g)
		}
	}
	return missing, ""
}

// builds reports whether the policy has lines for the builds of a provider.
func (e *existing) builds(id string) bool {
	return e.at(id, "build") != nil || e.at("*", "build") != nil
}

// at is a key of a provider's section, or nil.
func (e *existing) at(id, key string) *yamldoc.Node {
	n := e.root.Get("providers").Get(id)
	for _, word := range strings.Split(key, ".") {
		n = n.Get(word)
	}
	return n
}

// add adds the lines that the provider's section needs to the result.
func (e *existing) add(p *provider, rules []capability.Grant, l *Learnt) {
	byKey := p.lines(rules)
	begins := e.prune(p, byKey)
	// A rule without a key only names the provider.
	if len(byKey) == 0 && !slices.Contains(rules, capability.Grant{}) {
		return
	}
	l.Added = append(l.Added, p.added(byKey)...)
	switch {
	case begins:
		l.Notes = append(l.Notes, fmt.Sprintf("%s did not confine the commands of provider %s; the added lines of files and net do", e.file, p.id))
	case p.old.Mode == capability.ConfineOff && p.unknown == "":
		l.Notes = append(l.Notes, fmt.Sprintf("%s has confine: off; without it, the commands of provider %s are confined to what was learnt", p.old.Pos(), p.id))
	}
}

// prune removes the lines that would add nothing or restrict what is allowed. It reports
// whether the rest begins to confine commands.
func (e *existing) prune(p *provider, byKey map[string][]capability.Grant) (begins bool) {
	e.dropBounds(p, byKey)
	delete(byKey, "confine")
	for _, part := range [...]string{"files", "net"} {
		if p.old.unrestricted(part) || p.old.has(p.id, part) {
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

// dropBounds removes the bounds of builds if the policy has lines for builds: a missing key
// may be intended. Only the first rule for remote engines makes local ones need a rule.
func (e *existing) dropBounds(p *provider, byKey map[string][]capability.Grant) {
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

// needs reports whether a claim or a command needs a line.
func (p *provider) needs(g capability.Grant) bool {
	return slices.Contains(p.commands, g) || slices.ContainsFunc(p.demands, func(n demand) bool { return slices.Contains(n.needs, g) })
}

// text is the policy with the added lines.
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

// oldSection is a provider's section of the existing policy.
type oldSection struct {
	capability.Confinement
	*existing
}

func (e *existing) section(id string) *oldSection {
	if e.policy == nil {
		return nil
	}
	return &oldSection{e.policy.Confinement(id), e}
}

// has reports whether a key exists, for the provider or for all.
func (o *oldSection) has(id, key string) bool {
	return o != nil && (o.at(id, key) != nil || o.at("*", key) != nil)
}

// unrestricted reports whether the policy allows commands, and them any file or port.
func (o *oldSection) unrestricted(part string) bool {
	if o.Mode == "" || o.Mode == capability.ConfineOff || !o.Commands {
		return false
	}
	return part == "files" && o.Files == nil || part == "net" && o.Net == nil
}

// missing are the rules for commands that the policy does not have. If it allows any file
// or port there are none, unless a rule for the provider itself begins to confine them.
func (o *oldSection) missing(p *provider) []capability.Grant {
	if o == nil {
		return p.commands
	}
	begins := func(part string) bool {
		return slices.ContainsFunc(p.demands, func(n demand) bool {
			return slices.ContainsFunc(n.needs, func(g capability.Grant) bool { return strings.HasPrefix(g.Key, part+".") })
		})
	}
	files, net := !o.unrestricted("files") || begins("files"), !o.unrestricted("net") || begins("net")
	return slices.DeleteFunc(slices.Clone(p.commands), func(g capability.Grant) bool {
		switch {
		case strings.HasPrefix(g.Key, "net.") && !net, (strings.HasPrefix(g.Key, "files.") || g.Key == "use") && !files:
			return true
		}
		return o.allows(p.id, g)
	})
}

// allows reports whether commands may use what a line allows without it.
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
		ok = ok && o.Files != nil && o.allowsFiles(one.Files)
	}
	if one.Net != nil {
		ok = ok && o.Net != nil && coverAll(o.Net.Connect, one.Net.Connect) && coverAll(o.Net.Listen, one.Net.Listen)
	}
	return ok
}

// allowsFiles reports whether commands may use files and directories. Writing includes
// reading, and reading includes listing.
func (o *oldSection) allowsFiles(f *capability.ConfinedFiles) bool {
	write := o.Files.Write
	read := slices.Concat(o.Files.Read, write)
	return containAll(write, f.Write) && containAll(read, f.Read) && containAll(slices.Concat(o.Files.List, read), f.List)
}

// containAll reports whether some places contain all others.
func containAll(list, others []capability.Subtree) bool {
	p := make(places)
	for _, s := range list {
		p.add(s)
	}
	return !slices.ContainsFunc(others, func(s capability.Subtree) bool { return !p.contain(s) })
}

func coverAll(list, others []capability.Ports) bool {
	return !slices.ContainsFunc(others, func(o capability.Ports) bool {
		return !slices.ContainsFunc(list, func(p capability.Ports) bool { return p.Low <= o.Low && o.High <= p.High })
	})
}
