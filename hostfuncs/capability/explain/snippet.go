package explain

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Snippet is the least policy that has the grants, in YAML.
func Snippet(provider string, grants []capability.Grant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nproviders:\n  %s:", yamldoc.Quote(provider))
	byKey := make(map[string][]string)
	remarks := make(map[string]string)
	// A provider can ask for a hundred thousand things at once.
	said := make(map[capability.Grant]bool)
	for _, g := range grants {
		if g.Key != "" && !said[g] {
			said[g] = true
			byKey[g.Key] = append(byKey[g.Key], g.Rule)
			if !g.Pattern {
				remarks[g.Key] = cmp.Or(remarks[g.Key], remark(g.Rule))
			}
		}
	}
	if len(byKey) == 0 {
		return b.String() + " {}\n"
	}
	b.WriteString("\n")
	section := ""
	for _, key := range capability.Keys() {
		rules := byKey[key.Name()]
		if len(rules) == 0 {
			continue
		}
		mapping, name, nested := strings.Cut(key.Name(), ".")
		switch {
		case key.Name() == "exec":
			writeCommands(&b, rules)
			continue
		case !nested:
			fmt.Fprintf(&b, "    %s: %s\n", mapping, key.Value(rules))
			continue
		case mapping != section:
			section = mapping
			b.WriteString("    " + section + ":\n")
		}
		b.WriteString("      " + name + ": " + key.Value(rules) + remarks[key.Name()] + "\n")
	}
	return b.String()
}

// writeCommands writes a command a line, since each is long.
func writeCommands(b *strings.Builder, rules []string) {
	b.WriteString("    exec:\n      allow:\n")
	for _, rule := range rules {
		b.WriteString("        - " + rule + remark(rule) + "\n")
	}
}

// remark says what the reader should know before a rule is added.
func remark(rule string) string {
	if strings.Contains(rule, "*") {
		return " # a * here allows any characters, since it cannot be written exactly"
	}
	return ""
}
