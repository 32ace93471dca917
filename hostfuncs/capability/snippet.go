package capability

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/runtime/yamldoc"
)

// Grant is a line that a policy lacks. The zero Grant lacks no line, but any
// mention of the provider.
type Grant struct {
	// Key is where the line belongs, such as env.pass.
	Key string
	// Rule is the line, in YAML.
	Rule string
}

// Snippet is the least policy that has the grants, in YAML.
func Snippet(provider string, grants []Grant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nproviders:\n  %s:", quoteYAML(provider))
	byKey := make(map[string][]string)
	for _, g := range grants {
		if g.Key != "" && !slices.Contains(byKey[g.Key], g.Rule) {
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
			b.WriteString("        - " + rule + "\n")
		}
	}
	for _, part := range []struct {
		name string
		keys []string
	}{
		{"env", []string{"pass", "read"}},
		{"files", []string{"read", "write"}},
		{"build", []string{"contexts", "tags", "args", "targets", "network", "push"}},
	} {
		writePart(&b, part.name, part.keys, byKey)
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
		if key == "network" || key == "push" {
			value = rules[len(rules)-1]
		}
		b.WriteString("      " + key + ": " + value + "\n")
	}
}

// grantExec is the rule for exactly one command, as far as a rule can be
// exact: a * in a word of it stays a pattern, which matches that word too.
func grantExec(x *Exec) Grant {
	words := slices.Clone(x.Argv)
	if strings.ContainsAny(words[0], `/\`) {
		words[0] = x.Program
		if x.ProgramInProject != "" {
			words[0] = "./" + path.Clean(x.ProgramInProject)
		}
	}
	simple := true
	for i, word := range words {
		// A ** can only be the last word, and stands for more than itself.
		words[i] = collapseStars.ReplaceAllString(word, "*")
		simple = simple && simpleWord.MatchString(words[i])
	}
	if text := strings.Join(words, " "); simple {
		return Grant{Key: "exec", Rule: quoteYAML(text)}
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quoteYAML(word)
	}
	return Grant{Key: "exec", Rule: "[" + strings.Join(quoted, ", ") + "]"}
}

var (
	collapseStars = regexp.MustCompile(`\*{2,}`)
	simpleWord    = regexp.MustCompile(`^[A-Za-z0-9_./=+:@-]+$`)
	plainYAML     = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./=+@ -]*$`)
)

// quoteYAML writes a string so that YAML reads it as that string, plain where
// it can be.
func quoteYAML(s string) string {
	if plainYAML.MatchString(s) && !strings.HasSuffix(s, " ") {
		if n, err := yamldoc.Parse("", []byte(s)); err == nil && n.Kind() == yamldoc.KindString && n.Text() == s {
			return s
		}
	}
	// A JSON string is one in YAML too, but for characters that YAML wants
	// escaped and JSON does not.
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return strings.ReplaceAll(string(quoted), "\x7f", `\x7f`)
}
