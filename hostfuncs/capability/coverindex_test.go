package capability

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestCoverIndexMissesNothing compares what the index finds with a look at all
// rules.
func TestCoverIndexMissesNothing(t *testing.T) {
	for _, key := range []string{"exec", "env.pass", "env.read", "files.read", "build.tags", "net.connect"} {
		t.Run(key, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			found := 0
			for range 3_000 {
				l := List{Key: key, Deny: r.IntN(2) == 0}
				for i := range 1 + r.IntN(6) {
					rule := randomRule(r, key)
					rule.Pos.Line = i + 1
					l.Rules = append(l.Rules, rule)
				}
				found += wantAllFound(t, l, randomRule(r, key))
			}
			if found < 100 {
				t.Errorf("%d rules are covered, which shows too little", found)
			}
		})
	}
}

func wantAllFound(t *testing.T, l List, rule *Rule) (found int) {
	t.Helper()
	texts, covering := []string{coverText(l.Key, rule, l.Deny)}, func(other *Rule) bool { return covers(l.Key, l.Deny, other, rule) }
	if l.Deny {
		texts, covering = deniedTexts(l.Key, rule), func(other *Rule) bool { return denies(l.Key, other, rule) }
	}
	var want *Rule
	for _, other := range l.Rules {
		if covering(other) {
			want = first(want, other)
		}
	}
	got := newCoverIndex(l).first(texts, covering)
	if got != want {
		t.Fatalf("deny %v: %q is covered by %+v, want %+v", l.Deny, rule.Text, got, want)
	}
	if want != nil {
		found++
	}
	return found
}

// randomRule is a rule of few words, so that many cover others.
func randomRule(r *rand.Rand, key string) *Rule {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	switch key {
	case "exec":
		words := []string{pick("a", "A", "a*", "**", "./a", "./x/../a", "/bin/a", "/BIN/*", "/bin//a", "x/a", "b")}
		for range r.IntN(4) {
			words = append(words, pick("a", "-a", "*", "a*", "-*", ""))
		}
		if r.IntN(3) == 0 {
			words = append(words, deep)
		}
		return &Rule{Text: strings.Join(words, " "), words: words}
	case "net.connect":
		return &Rule{Text: pick("1", "2", "3", "1-1", "1-2", "2-3", "1-3", "*")}
	case "env.pass", "env.read":
		return &Rule{Text: pick("A", "A_B", "A_*", "*", "*_B", "LD_PRELOAD", "LD_*", "B")}
	}
	var parts []string
	for range 1 + r.IntN(3) {
		parts = append(parts, pick("a", "b", "a*", "*", "**", "."))
	}
	return &Rule{Text: strings.Join(parts, "/")}
}
