package learn_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/learn"
)

// rulesBy are rules that a policy may have already, by key.
var rulesBy = map[string][]string{
	"exec": {"npm ci", "npm *", "[npm, run]", "\"**\"", "x", "{command: npm ci, sha256: " + digest + "}"}, "env.pass": {"A", "\"*\"", "B"}, "env.read": {"A", "C"},
	"files.read": {"a", "\"a/**\"", "\"**\"", "\"d/*\"", "b/a"}, "files.env": {"a", "d/a"}, "files.write": {"a", "\"b/**\"", "d/e"},
	"build.contexts": {"a", "\"**\""}, "build.tags": {"\"**\"", "\"shop:1\""}, "build.targets": {"prod"}, "build.bases": {"\"**\""}, "build.engines": {"docker"},
	"net.connect": {"4000", "\"4000-4002\"", "80", "\"*\""}, "net.listen": {"80", "0"}, "use": {"git", "node"}, "sockets": {"docker"},
}

// randomPolicy is somebody's policy, in lines or in brackets.
func randomPolicy(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("version: 1 # mine\n")
	if r.IntN(3) == 0 {
		b.WriteString("require: {lock: true, confine: best-effort}\n")
	}
	b.WriteString("providers:\n")
	for _, id := range []string{`"*"`, "generic", "zed"} {
		if r.IntN(3) == 0 {
			continue
		}
		var parts []string
		add := func(text string) { parts = append(parts, text) }
		if r.IntN(3) == 0 {
			add("confine: " + pick(r, []string{"require", "best-effort", "off"}))
		}
		if r.IntN(4) == 0 {
			add("limits: {time: 1h, processes: 10}")
		}
		add(randomList(r, "exec", "exec"))
		for _, part := range []string{"env", "files", "build", "net"} {
			var of []string
			for _, key := range slices.Sorted(maps.Keys(rulesBy)) {
				if name, ok := strings.CutPrefix(key, part+"."); ok {
					of = append(of, randomList(r, key, name))
				}
			}
			if part == "build" && r.IntN(3) == 0 {
				of = append(of, pick(r, []string{"network: none", "push: false", "require_digest: true"}))
			}
			of = slices.DeleteFunc(of, func(s string) bool { return s == "" })
			slices.Sort(of)
			if len(of) > 0 || r.IntN(4) == 0 {
				add(part + ": {" + strings.Join(of, ", ") + "}")
			}
		}
		for _, key := range []string{"use", "sockets"} {
			if r.IntN(4) == 0 {
				add(key + ": [" + rulesBy[key][0] + "]")
			}
		}
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
		if b.WriteString("  " + id + ":"); r.IntN(2) == 0 || len(parts) == 0 {
			b.WriteString(" {" + strings.Join(parts, ", ") + "}\n")
			continue
		}
		b.WriteString(" # " + fmt.Sprint(r.IntN(9)) + "\n")
		for _, part := range parts {
			b.WriteString("      " + part + "\n")
		}
	}
	if text := b.String(); !strings.HasSuffix(text, "providers:\n") {
		return text
	}
	return b.String() + "  other: {}\n"
}

// randomList is a list of rules, mostly none, with some that deny.
func randomList(r *rand.Rand, key, name string) string {
	if r.IntN(2) == 0 {
		return ""
	}
	some := func() string {
		var list []string
		for range r.IntN(3) {
			if rule := pick(r, rulesBy[key]); !slices.Contains(list, rule) {
				list = append(list, rule)
			}
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	if key == "net.listen" || r.IntN(3) > 0 {
		return name + ": " + some()
	}
	deny := some()
	if strings.Contains(deny, "sha256") {
		deny = "[]"
	}
	return name + ": {allow: " + some() + ", deny: " + deny + "}"
}

// contains reports whether a document has everything of another one, at the same place.
func contains(whole, part *yamldoc.Node) bool {
	if whole.Kind() != part.Kind() {
		return part.Kind() == yamldoc.KindNull
	}
	for _, e := range part.Entries() {
		if whole.Get(e.Key) == nil || !contains(whole.Get(e.Key), e.Value) {
			return false
		}
	}
	for i, item := range part.Items() {
		if i >= len(whole.Items()) || !contains(whole.Items()[i], item) {
			return false
		}
	}
	return whole.Text() == part.Text()
}

// FuzzMerge checks the promises for an existing policy: it denies, confines and limits as
// before, its text is still there, and everything newly allowed is reported.
func FuzzMerge(f *testing.F) {
	for seed := range uint64(providertest.Rounds(400)) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		text := randomPolicy(r)
		before, err := capability.Parse("p.yml", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var claims []capability.Claim
		for range 1 + r.IntN(8) {
			if c := randomClaim(r); !isWild(c) {
				claims = append(claims, c)
			}
		}
		commands := make(learn.Commands)
		for _, id := range someIDs {
			var used capability.Used
			for range r.IntN(12) {
				used.Uses = append(used.Uses, randomUse(r))
			}
			if r.IntN(3) == 0 {
				used.Missed = []string{"why"}
			}
			commands[id] = used
		}
		got, err := learn.Policy(claims, commands, learn.Options{File: "p.yml", Into: []byte(text), Project: directories.files(), Directories: r.IntN(2) == 0})
		if err != nil {
			t.Fatalf("%v\n%s\nlearnt\n%s\nlines\n%s", err, text, got.Policy, addedLines(got))
		}
		after := parse(t, got.Policy)
		wantKept(t, text, got.Policy)
		for _, id := range append(slices.Clone(someIDs), "never-seen") {
			wantConfined(t, before, after, got, id)
			for _, c := range claims {
				for _, other := range append(neighbours(c), c) {
					wantNoWider(t, before, after, got, as(id, other))
				}
			}
		}
		if t.Failed() {
			t.Logf("before\n%s\nafter\n%s", text, got.Policy)
		}
	})
}

// wantKept requires all words of the old policy in the new one.
func wantKept(t *testing.T, before, after string) {
	t.Helper()
	part, err := yamldoc.Parse("", []byte(before))
	whole, wholeErr := yamldoc.Parse("", []byte(after))
	if err != nil || wholeErr != nil || !contains(whole, part) {
		t.Errorf("something was taken away: %v, %v", err, wholeErr)
	}
	for _, comment := range []string{"# mine", "# 1"} {
		if strings.Count(before, comment) > strings.Count(after, comment) {
			t.Errorf("the comment %s is gone", comment)
		}
	}
}

// wantConfined requires that commands are confined and limited as before, except by
// reported lines.
func wantConfined(t *testing.T, before, after *capability.Policy, l *learn.Learnt, id string) {
	t.Helper()
	both := [2]*capability.Policy{before, after}
	var held [2][]capability.Confinement
	for i, p := range both {
		held[i] = capability.Confine([]*capability.Policy{p}, id)
	}
	if len(held[0]) > len(held[1]) {
		t.Errorf("commands of %s are not confined any more", id)
	}
	if !reflect.DeepEqual(capability.LimitsOf(both[:1], id), capability.LimitsOf(both[1:], id)) || before.Require.Lock != after.Require.Lock || before.Require.Confine != after.Require.Confine {
		t.Errorf("limits of %s, or what is required, changed", id)
	}
	if len(held[0]) == 0 || len(held[1]) == 0 {
		return
	}
	old, now := held[0][0], held[1][0]
	if old.Mode != now.Mode || old.Files != nil && now.Files == nil || old.Net != nil && now.Net == nil || len(old.Unenforced) != len(now.Unenforced) {
		t.Errorf("commands of %s are confined less", id)
	}
	told := addedPolicy(t, l).Confinement(id)
	for _, word := range now.Use {
		if !slices.Contains(old.Use, word) && !slices.Contains(told.Use, word) {
			t.Errorf("use: %s is not told", word)
		}
	}
	if !slices.Equal(old.Sockets, now.Sockets) {
		t.Errorf("the sockets are %v", now.Sockets)
	}
	if old.Files == nil || now.Files == nil {
		return
	}
	wantTold := func(of func(*capability.ConfinedFiles) []capability.Subtree) {
		t.Helper()
		for _, s := range of(now.Files) {
			if !slices.Contains(of(old.Files), s) && (told.Files == nil || !slices.Contains(of(told.Files), s)) {
				t.Errorf("%+v is not told", s)
			}
		}
	}
	wantTold(func(f *capability.ConfinedFiles) []capability.Subtree { return slices.Concat(f.Read, f.Write) })
	wantTold(func(f *capability.ConfinedFiles) []capability.Subtree { return f.List })
}

// addedPolicy has what was told, and nothing else.
func addedPolicy(t *testing.T, l *learn.Learnt) *capability.Policy {
	t.Helper()
	grants := make(map[string][]capability.Grant)
	for _, a := range l.Added {
		if a.Rule != "[]" && a.Rule != "{}" && a.Key != "confine" {
			grants[a.Provider] = append(grants[a.Provider], capability.Grant{Key: a.Key, Rule: a.Rule})
		} else {
			grants[a.Provider] = append(grants[a.Provider], capability.Grant{})
		}
	}
	text := "version: 1\nproviders:\n  nobody: {}\n"
	for id, of := range grants {
		text += strings.TrimPrefix(explain.Snippet(id, of), "version: 1\nproviders:\n")
	}
	return parse(t, text)
}

// wantNoWider requires that only reported lines allow more, and nothing that a rule
// denies.
func wantNoWider(t *testing.T, before, after *capability.Policy, l *learn.Learnt, c capability.Claim) {
	t.Helper()
	old, now := capability.Decide([]*capability.Policy{before}, c), capability.Decide([]*capability.Policy{after}, c)
	if old.Allowed || !now.Allowed {
		return
	}
	if old.Rule != "" {
		t.Errorf("%s is allowed, which %s", c, old.Reason())
	}
	told := capability.Decide([]*capability.Policy{addedPolicy(t, l)}, c)
	for _, g := range old.Missing {
		if slices.Contains(told.Missing, g) {
			t.Errorf("%s is allowed, and no line that is told says %s %s", c, g.Key, g.Rule)
		}
	}
}
