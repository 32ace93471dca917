package explain

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// TestCoverIndexMissesNothing compares what the index finds with a look at all
// rules.
func TestCoverIndexMissesNothing(t *testing.T) {
	for _, key := range []string{"exec", "env.pass", "env.read", "files.read", "build.tags", "net.connect"} {
		t.Run(key, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			found := 0
			for range 3_000 {
				l := capability.List{Key: key, Deny: r.IntN(2) == 0}
				for i := range 1 + r.IntN(6) {
					rule := randomRule(t, r, key)
					rule.Pos.Line = i + 1
					l.Rules = append(l.Rules, rule)
				}
				found += wantAllFound(t, l, randomRule(t, r, key))
			}
			if found < 100 {
				t.Errorf("%d rules are covered, which shows too little", found)
			}
		})
	}
}

func wantAllFound(t *testing.T, l capability.List, rule *capability.Rule) (found int) {
	t.Helper()
	key := capability.KeyOf(l.Key)
	texts, covering := []string{key.SearchText(l.Deny, rule)}, func(other *capability.Rule) bool { return key.Covers(l.Deny, other, rule) }
	if l.Deny {
		texts, covering = key.DeniedBy(rule), func(other *capability.Rule) bool { return key.Denies(other, rule) }
	}
	var want *capability.Rule
	for _, other := range l.Rules {
		if covering(other) {
			want = earlier(want, other)
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
func randomRule(t *testing.T, r *rand.Rand, key string) *capability.Rule {
	t.Helper()
	for {
		text, _ := json.Marshal(randomText(r, key))
		mapping, name, nested := strings.Cut(key, ".")
		section := mapping + ": [" + string(text) + "]"
		if nested {
			section = mapping + ": {" + name + ": [" + string(text) + "]}"
		}
		// A few have no meaning, such as a path with three **.
		if p, err := capability.Parse("p.yml", []byte("version: 1\nproviders: {a: {"+section+"}}")); err == nil {
			return p.Lists()[0].Rules[0]
		}
	}
}

func randomText(r *rand.Rand, key string) any {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	switch key {
	case "exec":
		words := []string{pick("a", "A", "a*", "**", "./a", "./x/../a", "/bin/a", "/BIN/*", "/bin//a", "x/a", "b")}
		for range r.IntN(4) {
			words = append(words, pick("a", "-a", "*", "a*", "-*", ""))
		}
		if r.IntN(3) == 0 && words[0] != "**" {
			words = append(words, "**")
		}
		return words
	case "net.connect":
		if r.IntN(2) == 0 {
			return 1 + r.IntN(3)
		}
		return pick("1-1", "1-2", "2-3", "1-3", "*")
	case "env.pass", "env.read":
		return pick("A", "A_B", "A_*", "*", "*_B", "LD_PRELOAD", "LD_*", "B")
	}
	var parts []string
	for range 1 + r.IntN(3) {
		parts = append(parts, pick("a", "b", "a*", "*", "**", "."))
	}
	return strings.Join(parts, "/")
}
