package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func filePattern(t testing.TB, text string) capability.FilePattern {
	t.Helper()
	p, err := capability.ParseFilePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFilePatternMatches(t *testing.T) {
	for _, tt := range []struct{ pattern, matches, not string }{
		{"server/**", "server server/a server/a/b.js", "serve servers/a a/server"},
		{"server", "server server/a server/a/b.js", "servers a/server"},
		{"./server/", "server/a", "a"},
		{".", "a a/b", ""},
		{"**", "a a/b .", ""},
		{"**/*.js", "a.js a/b.js a/b/c.js", "a.ts a.js/b"},
		{"**/*.test.js", "a.test.js a/b.test.js", "a.js"},
		{"*.js", "a.js .js", "a/b.js"},
		{"src/*/main.go", "src/a/main.go", "src/main.go src/a/b/main.go"},
		{"src/**/main.go", "src/main.go src/a/main.go src/a/b/main.go", "src/a/main.gone"},
		{"[id].js", "[id].js [id].js/x", "i.js"},
	} {
		p := filePattern(t, tt.pattern)
		for _, name := range strings.Fields(tt.matches) {
			if !p.Matches(name) {
				t.Errorf("%s does not match %s", tt.pattern, name)
			}
		}
		for _, name := range strings.Fields(tt.not) {
			if p.Matches(name) {
				t.Errorf("%s matches %s", tt.pattern, name)
			}
		}
	}
}

func TestFilePatternRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":              "is empty",
		"/etc/**":       "begins with /",
		"a/../../b":     "has ..",
		"a/**/b/**/c**": "",
		"**/a/**/b/**":  "more than two **",
		"**/*.{js,ts}":  "has braces",
	} {
		_, err := capability.ParseFilePattern(text)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestFilePatternDirectories(t *testing.T) {
	for _, tt := range []struct{ pattern, reaches, not, whole, part string }{
		{"server/**", "server server/a .", "lib", "server server/a", "."},
		{"server/**/*.js", "server/a .", "lib", "", "server server/a"},
		{"**", "a .", "", "a .", ""},
		{"a/*/c/**", ". a a/b a/b/c a/b/c/d", "b a/b/d", "a/b/c", "a/b a"},
	} {
		p := filePattern(t, tt.pattern)
		for names, check := range map[string]func(string) bool{
			tt.reaches: p.Reaches, tt.not: func(dir string) bool { return !p.Reaches(dir) },
			tt.whole: p.Whole, tt.part: func(dir string) bool { return !p.Whole(dir) },
		} {
			for _, dir := range strings.Fields(names) {
				if !check(dir) {
					t.Errorf("%s: wrong about %s, one of %q", tt.pattern, dir, names)
				}
			}
		}
	}
}

// TestWatchDecisions: a policy that lets all that a pattern matches be read lets it be
// watched, and no other does.
func TestWatchDecisions(t *testing.T) {
	for _, tt := range []struct {
		policy, pattern string
		allowed         bool
		said            string
	}{
		{"read: ['server/**']", "server/**", true, ""},
		{"read: ['server/**']", "server/**/*.js", true, ""},
		{"read: ['server/**']", "server/a/**", true, ""},
		{"read: ['**']", "server/**", true, ""},
		{"read: ['server/*.js']", "server/*.js", true, ""},
		{"read: ['package.json']", "package.json", true, ""},
		{"read: ['server/*']", "server/**", false, "no rule"},
		{"read: ['server/*']", "server/a", true, ""}, // may be a file
		{"read: [server]", "server", true, ""},       // may be a file
		{"read: [server]", "server/**", false, "no rule"},
		{"read: ['server/*']", "server/a/**", false, "no rule"},
		{"read: ['server/**']", "server", true, ""},
		{"read: ['server/**']", ".", false, "no rule"},
		{"read: ['server/*']", "server/a*/**", false, "no rule"},
		{"read: ['server/**/*.js']", "server/**", false, "no rule"},
		{"read: ['server/a/**', 'server/b/**']", "server/**", false, "no rule"},
		{"env: ['server/**'], write: ['server/**']", "server/**", false, "no rule"},
		{"read: {allow: ['server/**'], deny: ['server/secret/**']}", "server/**", true, ""},
		{"read: {allow: ['server/**'], deny: ['server/secret/**']}", "server/secret/**", false, "denied by"},
		{"read: {allow: ['server/**'], deny: ['server/secret/**']}", "server/SECRET/a/**", false, "denied by"},
		{"read: {allow: ['server/**'], deny: ['**/*.pem']}", "server/**/*.pem", false, "denied by"},
	} {
		p, err := capability.Parse("policy.yml", []byte("version: 1\nproviders: {p: {files: {"+tt.policy+"}}}"))
		if err != nil {
			t.Fatal(err)
		}
		pattern := filePattern(t, tt.pattern).String()
		d := capability.Decide([]*capability.Policy{p}, watching(pattern))
		if d.Allowed != tt.allowed || !strings.Contains(d.Reason(), tt.said) {
			t.Errorf("%s, watch %s: got %v, %s", tt.policy, tt.pattern, d.Allowed, d.Reason())
		}
	}
}

func watching(pattern string) capability.Claim {
	return capability.Claim{Operation: "watch", Provider: "p", Files: []capability.FileUse{{Path: pattern, Use: capability.Watch}}}
}

// TestWatchGrants: the missing rule allows the claim.
func TestWatchGrants(t *testing.T) {
	for pattern, want := range map[string]string{
		"server/**": `"server/**"`, "server": `"server/**"`, "package.json": `"package.json"`, ".config": `".config/**"`, "**/*.js": `"**/*.js"`, ".": `"**"`,
	} {
		claim := watching(filePattern(t, pattern).String())
		missing := capability.Decide(nil, claim).Missing
		if len(missing) != 1 || missing[0].Key != "files.read" || strings.Trim(missing[0].Rule, `"'`) != strings.Trim(want, `"`) {
			t.Errorf("%s: missing %+v, want %s", pattern, missing, want)
			continue
		}
		p, err := capability.Parse("policy.yml", []byte("version: 1\nproviders: {p: {files: {read: ["+missing[0].Rule+"]}}}"))
		if err != nil {
			t.Fatal(err)
		}
		if d := capability.Decide([]*capability.Policy{p}, claim); !d.Allowed {
			t.Errorf("%s: %s", pattern, d.Reason())
		}
	}
}

// TestWatchClaimsAreWritten: a claim with a pattern in another spelling could pass a rule
// that denies.
func TestWatchClaimsAreWritten(t *testing.T) {
	open := capability.Open("open")
	for _, pattern := range []string{"a/../b/**", "./a/**", "/a/**", "a/**/", "a/", "{a,b}/**", ""} {
		if d := capability.Decide([]*capability.Policy{open}, watching(pattern)); d.Allowed {
			t.Errorf("%q is allowed", pattern)
		}
	}
}

// TestWatchIsReading: what may be watched may all be read, except what a rule denies, or
// what is below a path that a rule names as a file.
func TestWatchIsReading(t *testing.T) {
	elements := []string{"a", "b", "*", "a*", "**"}
	var patterns, names []string
	for _, x := range elements {
		for _, y := range elements {
			for _, z := range elements {
				patterns = append(patterns, x, x+"/"+y, x+"/"+y+"/"+z)
			}
		}
	}
	for _, x := range []string{"a", "b", "ab", "c"} {
		for _, y := range []string{"", "/a", "/b", "/ab", "/c"} {
			for _, z := range []string{"", "/a", "/c"} {
				names = append(names, x+y+z)
			}
		}
	}
	allowed := 0
	for _, rule := range patterns {
		policy, err := capability.New("made", "p", capability.AllowRead(rule, yamldoc.Pos{}))
		if err != nil {
			continue // three **
		}
		policies := []*capability.Policy{policy}
		for _, text := range patterns {
			p, err := capability.ParseFilePattern(text)
			if err != nil || !capability.Decide(policies, watching(p.String())).Allowed {
				continue
			}
			allowed++
			for _, name := range names {
				claim := capability.Claim{Operation: "read_file", Provider: "p", Files: []capability.FileUse{{Path: name}}}
				if p.Matches(name) && (strings.Contains(text, "*") || name == text) && !capability.Decide(policies, claim).Allowed {
					t.Errorf("rule %s lets %s be watched, and %s not be read", rule, text, name)
				}
			}
		}
	}
	if allowed < 500 {
		t.Errorf("only %d are allowed", allowed)
	}
}
