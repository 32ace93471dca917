package learn

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

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
