package learn

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// keys are the keys of a provider's section in their order. A key of a whole part is
// written if the part is empty.
var keys = []string{
	"confine", "exec", "env.pass", "env.read", "files.read", "files.list", "files.env", "files.write", "files",
	"build.contexts", "build.tags", "build.args", "build.targets",
	"build.bases", "build.layouts", "build.syntax", "build.remotes", "build.platforms", "build.secrets", "build.cache_from", "build.cache_to", "build.outputs", "build.engines",
	"build.network", "build.push",
	"net.connect", "net.listen", "net", "daemons", "use", "sockets",
}

// lines are the lines of a provider's section by key. A key without rules is written too.
func (p *provider) lines(rules []capability.Grant) map[string][]capability.Grant {
	byKey := p.bounds()
	for _, g := range rules {
		if g.Key != "" {
			byKey[g.Key] = append(byKey[g.Key], g)
		}
	}
	if p.unknown == "" && p.runs() {
		addEmptyParts(byKey)
	}
	if p.unknown != "" && confines(byKey) {
		byKey["confine"] = []capability.Grant{{Key: "confine", Rule: "off"}}
	}
	return byKey
}

// section writes the provider's section, one rule a line, to make diffs readable.
func (p *provider) section(rules []capability.Grant) string {
	byKey := p.lines(rules)
	var b strings.Builder
	b.WriteString(p.name() + ":")
	if len(byKey) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	begun := ""
	for _, key := range keys {
		of, ok := byKey[key]
		switch {
		case !ok:
			continue
		case isPart(key):
			b.WriteString("    " + key + ": {}\n")
			continue
		}
		indent, name := "    ", key
		if part, below, ok := strings.Cut(key, "."); ok {
			if part != begun {
				b.WriteString(indent + part + ":\n")
			}
			begun, indent, name = part, "      ", below
		}
		b.WriteString(indent + name + ":")
		p.value(&b, indent, once(of))
	}
	return b.String()
}

// added are the lines for [Learnt.Added].
func (p *provider) added(byKey map[string][]capability.Grant) []Added {
	var all []Added
	for _, key := range keys {
		of, ok := byKey[key]
		switch {
		case ok && isPart(key):
			all = append(all, Added{Provider: p.id, Key: key, Rule: "{}"})
		case ok && len(of) == 0:
			all = append(all, Added{Provider: p.id, Key: key, Rule: "[]"})
		}
		for _, g := range once(of) {
			all = append(all, Added{p.id, key, g.Rule, strings.TrimPrefix(p.remark(g), " # ")})
		}
	}
	if len(all) == 0 {
		all = append(all, Added{Provider: p.id, Rule: "{}"})
	}
	return all
}

// isScalar reports whether a key has a single value, not a list.
func isScalar(key string) bool {
	return key == "confine" || key == "build.network" || key == "build.push"
}

// isPart reports whether a key is for an empty part of a section.
func isPart(key string) bool { return key == "files" || key == "net" }

// addEmptyParts adds the parts without which commands could use any file or port.
func addEmptyParts(byKey map[string][]capability.Grant) {
	for _, part := range keys {
		isOf := func(key string) bool { return strings.HasPrefix(key, part+".") }
		if isPart(part) && !slices.ContainsFunc(slices.Collect(maps.Keys(byKey)), isOf) {
			byKey[part] = nil
		}
	}
}

// confines reports whether commands would be confined to what the provider itself uses.
func confines(byKey map[string][]capability.Grant) bool {
	if len(byKey["exec"]) == 0 {
		return false
	}
	for key := range byKey {
		if strings.HasPrefix(key, "files.") || strings.HasPrefix(key, "net.") {
			return true
		}
	}
	return false
}

func (p *provider) value(b *strings.Builder, indent string, rules []capability.Grant) {
	switch {
	case len(rules) == 0:
		b.WriteString(" []\n")
	case isScalar(rules[0].Key):
		b.WriteString(" " + rules[0].Rule + p.remark(rules[0]) + "\n")
	default:
		b.WriteString("\n")
		for _, g := range rules {
			b.WriteString(indent + "  - " + g.Rule + p.remark(g) + "\n")
		}
	}
}

// remark says what a rule allows besides what was done.
func (p *provider) remark(g capability.Grant) string {
	switch {
	case g.Key == "confine":
		return " # " + p.unknown
	case slices.Contains(p.commands, g):
		return p.remarkOfCommands(g)
	case slices.Contains(p.directories, g):
		return " # all files of the directory were read"
	case g.Pattern:
		return " # watched; the provider may read it too"
	case strings.Contains(g.Rule, "*"):
		return " # * allows any characters and cannot be escaped"
	}
	return ""
}

// remarkOfCommands says what a rule allows besides what commands used.
func (p *provider) remarkOfCommands(g capability.Grant) string {
	own := slices.ContainsFunc(p.demands, func(n demand) bool { return slices.Contains(n.needs, g) })
	switch {
	case g.Key == "net.connect" && g.Rule == allPorts:
		return " # commands used UDP, for example for DNS, or ports chosen by the system"
	case g.Key == "files.write" && g.Rule == `"**"`:
		return " # commands created or removed files in the project directory itself"
	case g.Key == "files.list":
		return " # commands see the names of all files below, not their contents"
	case g.Key == "files.read" && !own:
		return " # used by commands; the provider may read it too"
	case g.Key == "net.connect" && !own:
		return " # used by commands; the provider may ask whether it answers"
	}
	return ""
}

// name is the provider's ID in YAML, with its indentation.
func (p *provider) name() string {
	_, section, _ := strings.Cut(explain.Snippet(p.id, nil), "providers:\n")
	name, _, _ := strings.Cut(section, ":")
	return name
}

// bounds are lines without which a build could have any stage, base image, platform or
// network.
func (p *provider) bounds() map[string][]capability.Grant {
	lines := make(map[string][]capability.Grant)
	networked := false
	for _, n := range p.demands {
		build := n.claim.Build
		if build == nil {
			continue
		}
		lines["build.targets"] = nil
		networked = networked || build.Network != "none"
		if build.Engine != "" {
			lines["build.bases"], lines["build.platforms"] = nil, nil
		}
	}
	if len(lines) > 0 && !networked {
		lines["build.network"] = []capability.Grant{{Key: "build.network", Rule: "none"}}
	}
	if local := p.localEngines(); len(local) > 0 {
		lines["build.engines"] = local
	} else if p.old.has(p.id, "build.engines") && len(lines) > 0 {
		lines["build.engines"] = nil
	}
	return lines
}

// localEngines are the rules for engines of this machine. They are needed only besides
// rules for remote engines, which would deny local ones. Otherwise the engine is not
// learnt, because another machine has another one.
func (p *provider) localEngines() []capability.Grant {
	var local []capability.Grant
	elsewhere := false
	for _, n := range p.demands {
		build := n.claim.Build
		switch {
		case build == nil:
		case build.EngineAddress != "":
			elsewhere = true
		case build.Engine != "":
			local = append(local, capability.Grant{Key: "build.engines", Rule: build.Engine})
		}
	}
	if !elsewhere {
		return nil
	}
	return once(local)
}

// nameBases are the providers with a build that names its base images. Records of earlier
// versions do not.
func nameBases(claims []capability.Claim) map[string]bool {
	named := make(map[string]bool)
	for _, c := range claims {
		if c.Build != nil && c.Build.Engine != "" {
			named[c.Provider] = true
		}
	}
	return named
}
