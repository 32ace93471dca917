package learn

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// keys are what a provider's section can have, in the order in which they are
// written; those of a whole part are for one that has nothing in it.
var keys = []string{
	"confine", "exec", "env.pass", "env.read", "files.read", "files.list", "files.env", "files.write", "files",
	"build.contexts", "build.tags", "build.args", "build.targets",
	"build.bases", "build.layouts", "build.syntax", "build.remotes", "build.platforms", "build.secrets", "build.cache_from", "build.cache_to", "build.outputs", "build.engines",
	"build.network", "build.push",
	"net.connect", "net.listen", "net", "daemons", "use", "sockets",
}

// lines are what a section of the provider's has to say, by key; a key without rules
// stands there all the same.
func (p *provider) lines(rules []capability.Grant) map[string][]capability.Grant {
	byKey := p.bounds()
	for _, g := range rules {
		if g.Key != "" {
			byKey[g.Key] = append(byKey[g.Key], g)
		}
	}
	if p.unknown == "" && p.runs() {
		lackNone(byKey)
	}
	if p.unknown != "" && confines(byKey) {
		byKey["confine"] = []capability.Grant{{Key: "confine", Rule: "off"}}
	}
	return byKey
}

// section writes what the provider may do, one rule a line, so that a change
// shows as what it is.
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

// added are the lines, as they are told.
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

// isScalar tells a key that has one value, and no list.
func isScalar(key string) bool {
	return key == "confine" || key == "build.network" || key == "build.push"
}

// isPart tells a key that stands for a part of a section with nothing in it.
func isPart(key string) bool { return key == "files" || key == "net" }

// lackNone adds the parts without which commands could use any file or port.
func lackNone(byKey map[string][]capability.Grant) {
	for _, part := range keys {
		isOf := func(key string) bool { return strings.HasPrefix(key, part+".") }
		if isPart(part) && !slices.ContainsFunc(slices.Collect(maps.Keys(byKey)), isOf) {
			byKey[part] = nil
		}
	}
}

// confines tells whether commands would be held to what the provider itself uses.
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

// remark says what the reader should know of a rule that allows more than was
// done.
func (p *provider) remark(g capability.Grant) string {
	switch {
	case g.Key == "confine":
		return " # " + p.unknown
	case slices.Contains(p.commands, g):
		return p.remarkOfCommands(g)
	case slices.Contains(p.directories, g):
		return " # all files of the directory were read"
	case strings.Contains(g.Rule, "*"):
		return " # a * allows any characters, it can't be written exactly"
	}
	return ""
}

// remarkOfCommands says what a rule allows besides what commands used.
func (p *provider) remarkOfCommands(g capability.Grant) string {
	own := slices.ContainsFunc(p.needing, func(n needy) bool { return slices.Contains(n.needs, g) })
	switch {
	case g.Key == "net.connect" && g.Rule == allPorts:
		return " # commands used UDP, such as for names, or ports that the system picked"
	case g.Key == "files.write" && g.Rule == `"**"`:
		return " # commands made or removed files in the project directory itself"
	case g.Key == "files.list":
		return " # commands see the names of all files below, and not what is in the files"
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

// bounds are the lines that allow nothing that wasn't done: without them, a
// build could be of any stage, on any image and for any platform, and have a
// network that no build had.
func (p *provider) bounds() map[string][]capability.Grant {
	lines := make(map[string][]capability.Grant)
	networked := false
	for _, n := range p.needing {
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

// localEngines are those of this machine that built, where others did as well:
// their rules would deny what needs none without them. Which of this machine's
// engines builds is otherwise not learnt, since another machine has another.
func (p *provider) localEngines() []capability.Grant {
	var local []capability.Grant
	elsewhere := false
	for _, n := range p.needing {
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

// tellSources are the providers of which a build tells the images that it is
// based on, as those of earlier versions don't.
func tellSources(claims []capability.Claim) map[string]bool {
	told := make(map[string]bool)
	for _, c := range claims {
		if c.Build != nil && c.Build.Engine != "" {
			told[c.Provider] = true
		}
	}
	return told
}
