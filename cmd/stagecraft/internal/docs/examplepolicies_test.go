package docs_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// badPolicies are shown for their mistakes, by document and file.
var badPolicies = map[string]string{
	"docs/policy-tools.md wide.yml": "it shows findings of policy check",
}

var heredoc = regexp.MustCompile(`(?s)cat >(\S+) <<'?END'?\n(.*?\n)END\n`)

// TestExamplePoliciesPassTheirCheck checks that readers copy good policies.
func TestExamplePoliciesPassTheirCheck(t *testing.T) {
	checked := 0
	check := func(name, text string) {
		if !isPolicy(text) {
			return
		}
		checked++
		why, bad := badPolicies[name]
		found := unaccepted(t, name, text)
		switch {
		case bad && found == "":
			t.Errorf("%s: no finding, but %s", name, why)
		case !bad && found != "":
			t.Errorf("%s", found)
		}
	}
	for file, text := range filesIn(t, "examples", ".yml") {
		check(file, text)
	}
	for file, text := range documents(t) {
		for _, b := range docBlocks(file, text) {
			for _, m := range heredoc.FindAllStringSubmatch(b.text, -1) {
				check(file+" "+filepath.Base(m[1]), m[2])
			}
			if b.lang == "yaml" {
				check(b.name, b.text)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d policies found, expected more", checked)
	}
}

// isPolicy distinguishes a policy from other YAML and from policy tests.
func isPolicy(text string) bool {
	return regexp.MustCompile(`(?m)^version: 1$`).MatchString(text) && regexp.MustCompile(`(?m)^(providers|require):`).MatchString(text)
}

// unaccepted returns the findings that fail a strict check.
func unaccepted(t *testing.T, name, text string) string {
	t.Helper()
	p, err := capability.Parse(name, []byte(text))
	if err != nil {
		return err.Error()
	}
	var found []string
	for _, f := range explain.Check(p, nil) {
		if f.Severity != explain.SeverityNote && f.Accepted == nil {
			found = append(found, fmt.Sprintf("%s: %s [%s]", f.Pos, f.Message, f.Name))
		}
	}
	return strings.Join(found, "\n")
}
