package capability_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// The properties hold for policies and claims of a small alphabet, in which
// rules and claims meet often.
var (
	someWords = []string{"npm", "run", "dev", "-x", "--a=b", "./run.sh", "/usr/bin/npm"}
	somePats  = []string{"npm", "run", "dev", "*", "n*", "-*", "--a=*", "./run.sh", "./*", "/usr/bin/*"}
	somePaths = []string{"a", "a/b", "a/b/c", "d", "."}
	someGlobs = []string{"a", "a/*", "a/**", "**", "*", "**/c"}
	someNames = []string{"A", "APP_B", "LD_PRELOAD", "PATH"}
	nameGlobs = []string{"A", "APP_*", "*", "LD_PRELOAD"}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// ruleSet is a policy as data, so that it can be shuffled and added to.
type ruleSet struct {
	execAllow, execDeny [][]string
	envAllow, envDeny   []string
	readAllow, readDeny []string
}

func randomRules(r *rand.Rand) ruleSet {
	var s ruleSet
	for range r.IntN(4) {
		s.execAllow = append(s.execAllow, randomCommand(r, somePats))
		s.envAllow = append(s.envAllow, pick(r, nameGlobs))
		s.readAllow = append(s.readAllow, pick(r, someGlobs))
	}
	for range r.IntN(2) {
		s.addDeny(r)
	}
	return s
}

func (s *ruleSet) addDeny(r *rand.Rand) {
	s.execDeny = append(s.execDeny, randomCommand(r, somePats))
	s.envDeny = append(s.envDeny, pick(r, nameGlobs))
	s.readDeny = append(s.readDeny, pick(r, someGlobs))
}

func randomCommand(r *rand.Rand, from []string) []string {
	var words []string
	for range 1 + r.IntN(3) {
		words = append(words, pick(r, from))
	}
	if r.IntN(3) == 0 && len(from) == len(somePats) {
		words = append(words, "**")
	}
	return words
}

func (s ruleSet) shuffled(r *rand.Rand) ruleSet {
	for _, list := range [][][]string{s.execAllow, s.execDeny} {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	for _, list := range [][]string{s.envAllow, s.envDeny, s.readAllow, s.readDeny} {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return s
}

func (s ruleSet) policy(t *testing.T) *capability.Policy {
	t.Helper()
	list := func(allow, deny any) map[string]any {
		return map[string]any{"allow": orEmpty(allow), "deny": orEmpty(deny)}
	}
	data, err := json.Marshal(map[string]any{"version": 1, "providers": map[string]any{"generic": map[string]any{
		"exec":  list(s.execAllow, s.execDeny),
		"env":   map[string]any{"pass": list(s.envAllow, s.envDeny)},
		"files": map[string]any{"read": list(s.readAllow, s.readDeny)},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

func orEmpty(v any) any {
	switch v := v.(type) {
	case []string:
		return append([]string{}, v...)
	case [][]string:
		return append([][]string{}, v...)
	}
	return v
}

func randomClaim(r *rand.Rand) capability.Claim {
	switch r.IntN(3) {
	case 0:
		return command(randomCommand(r, someWords)...)
	case 1:
		return with(command(randomCommand(r, someWords)...), capability.EnvUse{Name: pick(r, someNames), Use: capability.EnvKind(r.IntN(3))})
	default:
		return read(pick(r, somePaths))
	}
}

// FuzzDecide holds the properties of decisions for the policies and claims
// that a seed gives.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		rules, other, claim := randomRules(r), randomRules(r), randomClaim(r)
		p, q := rules.policy(t), other.policy(t)
		d := capability.Decide([]*capability.Policy{p}, claim)

		if e := capability.Decide([]*capability.Policy{rules.shuffled(r).policy(t)}, claim); e.Allowed != d.Allowed {
			t.Errorf("the order of rules matters: %s, then %s", d.Reason(), e.Reason())
		}
		if e := capability.Decide([]*capability.Policy{p, q}, claim); e.Allowed && !d.Allowed {
			t.Errorf("a layer more widens: %s, then %s", d.Reason(), e.Reason())
		}
		x, y := capability.Decide([]*capability.Policy{p, q}, claim), capability.Decide([]*capability.Policy{q, p}, claim)
		if x.Allowed != y.Allowed || x.Rule != y.Rule {
			t.Errorf("the order of layers matters: %s, then %s", x.Reason(), y.Reason())
		}
		rules.addDeny(r)
		if e := capability.Decide([]*capability.Policy{rules.policy(t)}, claim); e.Allowed && !d.Allowed {
			t.Errorf("a deny more widens: %s, then %s", d.Reason(), e.Reason())
		}
		for _, none := range [][]*capability.Policy{nil, {}, {nil}, {p, nil}} {
			if e := capability.Decide(none, claim); e.Allowed {
				t.Errorf("%v allows %v", none, claim)
			}
		}
	})
}

// FuzzSnippet wants that what a denial proposes to add does allow the claim.
func FuzzSnippet(f *testing.F) {
	f.Add("npm", "run dev", "--x=*", "a/b", "NODE_ENV")
	f.Add("./run.sh", "", "**", "a b/ä", "LD_PRELOAD")
	f.Add("true", "null", "- x: #y", "*", "A-B")
	f.Add("/usr/bin/a b", "'", "\"\\\n\x7f\u2028", "[x]", "npm_config_x")
	f.Fuzz(func(t *testing.T, program, a, b, path, name string) {
		claim := with(command("x", a, b), capability.EnvUse{Name: name, Use: capability.Set})
		claim.Exec.Argv[0] = program
		if !strings.HasPrefix(program, "/") && strings.Contains(program, "/") {
			claim.Exec.ProgramInProject = "bin/run"
		}
		claim.Files = []capability.FileUse{{Path: path, Use: capability.Read}}
		if !sensible(program, a, b, path, name) {
			t.Skip()
		}
		d := capability.Decide(nil, claim)
		text := capability.Snippet("generic", d.Missing)
		p, err := capability.Parse("p.yml", []byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e := capability.Decide([]*capability.Policy{p}, claim); !e.Allowed {
			t.Errorf("%s: %s, missing %v, with\n%s", claim, e.Reason(), e.Missing, text)
		}
	})
}

// sensible leaves out what can't be claimed, and what a rule can't grant: names
// with a * or a blank, and paths that aren't clean.
func sensible(program, a, b, path, name string) bool {
	for _, s := range []string{program, a, b, path, name} {
		if strings.ToValidUTF8(s, "") != s || strings.ContainsRune(s, 0) {
			return false
		}
	}
	if program == "" || program == "." || name == "" || strings.ContainsAny(program+name, "*=\\ \t\n\r") || strings.ContainsAny(name, "\v\f") {
		return false
	}
	clean := path != "" && path != ".." && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "../") && !strings.HasSuffix(path, "/") &&
		!strings.Contains(path, "//") && !strings.Contains(path, "./") && !strings.Contains(path, "/.") && strings.Count(path, "**") <= 2
	return clean
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			var text strings.Builder
			text.WriteString("version: 1\nproviders:\n  generic:\n    exec:\n      allow:\n")
			for i := range n {
				fmt.Fprintf(&text, "        - npm run task-%d --level=* **\n", i)
			}
			policies := []*capability.Policy{parse(b, text.String())}
			claim := command("npm", "run", fmt.Sprintf("task-%d", n/2), "--level=3", "x")
			if d := capability.Decide(policies, claim); !d.Allowed {
				b.Fatal(d.Reason())
			}
			b.ReportAllocs()
			for b.Loop() {
				capability.Decide(policies, claim)
			}
		})
	}
}
