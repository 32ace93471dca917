package learn

import (
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// keys are what a provider's section can have, in the order in which they are
// written.
var keys = []string{
	"exec", "env.pass", "env.read", "files.read", "files.env", "files.write",
	"build.contexts", "build.tags", "build.args", "build.targets",
	"build.bases", "build.syntax", "build.remotes", "build.platforms", "build.secrets", "build.cache_from", "build.cache_to", "build.outputs", "build.engines",
	"build.network", "build.push",
	"net.connect",
}

// section writes what the provider may do, one rule a line, so that a change
// shows as what it is.
func (p *provider) section(rules []capability.Grant) string {
	byKey := p.bounds()
	for _, g := range rules {
		if g.Key != "" {
			byKey[g.Key] = append(byKey[g.Key], g)
		}
	}
	var b strings.Builder
	b.WriteString(p.name() + ":")
	if len(byKey) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	if confines(byKey) {
		b.WriteString("    confine: off # what the commands themselves use is not learnt\n")
	}
	begun := ""
	for _, key := range keys {
		of, ok := byKey[key]
		if !ok {
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
	case rules[0].Key == "build.network" || rules[0].Key == "build.push":
		b.WriteString(" " + rules[0].Rule + "\n")
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
	case slices.Contains(p.folders, g):
		return " # all files of the folder were read"
	case strings.Contains(g.Rule, "*"):
		return " # a * allows any characters, it can't be written exactly"
	}
	return ""
}

// name is the provider's ID in YAML, with its indentation.
func (p *provider) name() string {
	_, section, _ := strings.Cut(capability.Snippet(p.id, nil), "providers:\n")
	name, _, _ := strings.Cut(section, ":")
	return name
}
