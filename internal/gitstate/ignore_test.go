package gitstate

import "testing"

// TestIgnore has what git check-ignore says of each.
func TestIgnore(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		dir, want     bool
	}{
		{"*.log", "a/b.log", false, true},
		{"/*.log", "a/b.log", false, false},
		{"a/*.log", "a/b.log", false, true},
		{"a/*.log", "a/b/c.log", false, false},
		{"**/c.log", "a/b/c.log", false, true},
		{"a/**/c.log", "a/c.log", false, true},
		{"a/**", "a/b/c", false, true},
		{"a/**", "a", true, false},
		{"build/", "build", false, false},
		{"build/", "x/build", true, true},
		{"[ab].txt", "b.txt", false, true},
		{"[!ab].txt", "b.txt", false, false},
		{"[!ab].txt", "c.txt", false, true},
		{"[]a].txt", "].txt", false, true},
		{"[[:digit:]].txt", "7.txt", false, true},
		{"[.txt", "[.txt", false, false},
		{`\#a`, "#a", false, true},
		{`\!a`, "!a", false, true},
		{"a ", "a", false, true},
		{`a\ `, "a ", false, true},
		{"a.c", "abc", false, false},
		{"é?", "éa", false, true},
		{"foo**bar", "fooxbar", false, true},
		{"foo**bar", "foo/bar", false, false},
	} {
		rule, ok := parseIgnore(tt.pattern+"\n", ".")
		if got := ok && (ignoreRules{rule}).match(tt.name, tt.dir); got != tt.want {
			t.Errorf("%q of %q: got %v", tt.name, tt.pattern, got)
		}
	}
	for _, none := range []string{"", "# a", "!", "  "} {
		if _, ok := parseIgnore(none, "."); ok {
			t.Errorf("%q is a pattern", none)
		}
	}
}
