package capability

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// Grant is a line that a policy lacks. The zero Grant lacks no line, but any
// mention of the provider.
type Grant struct {
	// Key is where the line belongs, such as env.pass.
	Key string
	// Rule is the line, in YAML.
	Rule string
}

// parts are the mappings of a provider's section, but for exec, and the keys
// in each, as they are written.
var parts = []struct {
	name string
	keys []string
}{
	{"env", []string{"pass", "read"}},
	{"files", []string{"read", "list", "env", "write"}},
	{"build", slices.Concat([]string{"contexts", "tags", "args"}, textKeyNames(), []string{"network", "push"})},
	{"net", []string{"connect", "listen"}},
}

// lists are the keys of a provider's section that have a list and no mapping, but
// for exec.
var lists = []string{"daemons", "use", "sockets"}

// Snippet is the least policy that has the grants, in YAML.
func Snippet(provider string, grants []Grant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nproviders:\n  %s:", yamldoc.Quote(provider))
	byKey := make(map[string][]string)
	// A provider can ask for a hundred thousand things at once.
	said := make(map[Grant]bool)
	for _, g := range grants {
		if g.Key != "" && !said[g] {
			said[g] = true
			byKey[g.Key] = append(byKey[g.Key], g.Rule)
		}
	}
	if len(byKey) == 0 {
		return b.String() + " {}\n"
	}
	b.WriteString("\n")
	if rules := byKey["exec"]; len(rules) > 0 {
		b.WriteString("    exec:\n      allow:\n")
		for _, rule := range rules {
			b.WriteString("        - " + rule + remark(rule) + "\n")
		}
	}
	for _, part := range parts {
		writePart(&b, part.name, part.keys, byKey)
	}
	for _, key := range lists {
		if rules := byKey[key]; len(rules) > 0 {
			fmt.Fprintf(&b, "    %s: [%s]\n", key, strings.Join(rules, ", "))
		}
	}
	return b.String()
}

func writePart(b *strings.Builder, name string, keys []string, byKey map[string][]string) {
	begun := false
	for _, key := range keys {
		rules := byKey[name+"."+key]
		if len(rules) == 0 {
			continue
		}
		if !begun {
			b.WriteString("    " + name + ":\n")
			begun = true
		}
		value := "[" + strings.Join(rules, ", ") + "]"
		switch key {
		case "network":
			value = most(rules)
		case "push":
			value = rules[0]
		}
		b.WriteString("      " + key + ": " + value + remark(value) + "\n")
	}
}

// most is the widest of some networks.
func most(names []string) string {
	return slices.MaxFunc(names, func(a, b string) int { return int(networks[a] - networks[b]) })
}

// remark says what the reader should know before a rule is added.
func remark(rule string) string {
	if strings.Contains(rule, "*") {
		return " # a * here allows any characters, it can't be written exactly"
	}
	return ""
}

// grantOf is the rule for one text.
func grantOf(key, text string) Grant { return Grant{Key: key, Rule: yamldoc.Quote(asPattern(text))} }

// grantExec is the rule for exactly one command, as far as a rule can be
// exact. There is none for a program that isn't there and could not be.
func grantExec(x *Exec) (Grant, bool) {
	words := slices.Clone(x.Argv)
	if !isBare(words[0]) {
		file, inside := x.files()
		switch {
		case inside != "":
			words[0] = "./" + inside
		case strings.HasPrefix(file, "//"):
			// With slashes it would not be a share, but a directory.
			words[0] = `\\` + file[2:]
		case file != "":
			words[0] = file
		default:
			return Grant{}, false
		}
	}
	simple := true
	for i, word := range words {
		words[i] = asPattern(word)
		simple = simple && simpleWord.MatchString(words[i])
	}
	if simple {
		return Grant{Key: "exec", Rule: yamldoc.Quote(strings.Join(words, " "))}, true
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = yamldoc.Quote(word)
	}
	return Grant{Key: "exec", Rule: "[" + strings.Join(quoted, ", ") + "]"}, true
}

// asPattern is the narrowest pattern that matches a text and that can be
// written. A * can only be written as the pattern that it is, and ** would
// stand for more; bytes that are no UTF-8 can't be written at all.
func asPattern(text string) string {
	return manyStars.ReplaceAllString(strings.ToValidUTF8(text, "*"), "*")
}

var (
	manyStars  = regexp.MustCompile(`\*{2,}`)
	simpleWord = regexp.MustCompile(`^[A-Za-z0-9_./=+:@-]+$`)
)
