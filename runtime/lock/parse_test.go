package lock_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/lock"
)

// wrongLocks are lock files with one change each, by its name, and the problem.
func wrongLocks(t testing.TB) map[string]struct{ text, want string } {
	t.Helper()
	data, err := os.ReadFile("testdata/stagecraft.lock")
	if err != nil {
		t.Fatal(err)
	}
	golden := string(data)
	found := make(map[string]struct{ text, want string })
	for name, tt := range map[string]struct{ from, to, want string }{
		"version":         {"version: 1\n", "version: 2\n", `l:3:10: version: "2" is not known, this stagecraft reads version 1`},
		"no version":      {"version: 1\n", "", "l:3:1: version is missing"},
		"unknown key":     {"version: 1\n", "version: 1\nextra: 1\n", `l:4:1: unknown key "extra"`},
		"providers":       {golden, "version: 1\nproviders: []", "expected a mapping of provider IDs"},
		"id":              {"  shop:\n", "  Shop:\n", `"Shop" is not a provider ID`},
		"twice":           {"  shop:\n", "  bare:\n", "bare"},
		"digest":          {"sha256: \"" + digest, "sha256: \"x", "is not a SHA-256 digest"},
		"no digest":       {"    abi: 1\n", "", "abi is missing"},
		"abi":             {"abi: 1", "abi: one", "abi: is a string, expected a whole number"},
		"source":          {"source: user", "source: web", `unknown source "web", expected one of project, user, file`},
		"imports":         {"imports: []", "imports: {}", "imports: is a mapping, expected a list"},
		"asked":           {"env:\n        - DOMAIN\n        - \"APP_*\"", "environ: []", "environ: unknown key"},
		"asked type":      {"- argv:\n            - npm", "- argv: npm\n          more:\n            - npm", "expected a list"},
		"granted more":    {"      env:\n        - DOMAIN\n", "      env:\n        - DOMAIN\n        - MORE\n", `grants more than the provider asks for: env "MORE"`},
		"granted another": {"granted: {}", "granted: {files: [x]}", `grants more than the provider asks for: files "x"`},
		"a merge":         {"version: 1\n", "<<<<<<< HEAD\nversion: 1\n", "l:3:1: the file has merge conflict markers"},
		"no yaml":         {"version: 1\n", "version: [\n", "l:"},
		"list":            {golden, "- 1", "expected a mapping"},
		"empty":           {golden, "", "expected a mapping"},
	} {
		i := strings.Index(golden, tt.from)
		// The last entry has a granted list.
		if name == "granted more" {
			i = strings.LastIndex(golden, tt.from)
		}
		if i < 0 {
			t.Fatalf("%s: nothing is changed", name)
		}
		found[name] = struct{ text, want string }{golden[:i] + tt.to + golden[i+len(tt.from):], tt.want}
	}
	return found
}

func TestProblems(t *testing.T) {
	for name, tt := range wrongLocks(t) {
		f, err := lock.Parse("l", []byte(tt.text))
		if err == nil || f != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

// TestProblemsTogether expects all problems at once.
func TestProblemsTogether(t *testing.T) {
	_, err := lock.Parse("l", []byte(`version: 1
providers:
  a: {version: 1, sha256: x, abi: 1, source: web, path: p, imports: [], asked: {}, granted: {}}
  b: {}
  C: {}
`))
	if err == nil || strings.Count(err.Error(), "\n") < 8 {
		t.Errorf("got %v", err)
	}
}
