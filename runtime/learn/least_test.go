package learn_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// The properties hold for claims of a small alphabet, which meet often.
var (
	someWords   = []string{"npm", "run", "-x", "--a=b", "*", "r*", "a b", "\xff", "", "true"}
	someFiles   = []string{"a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "d", "d/e", ".", "d/*", "s*/a", "s*/b"}
	someNames   = []string{"A", "B", "A*", "LD_PRELOAD"}
	someTags    = []string{"shop:1", "ghcr.io/a/shop:1", "ghcr.io/*/shop:1"}
	someIDs     = []string{"generic", "other"}
	directories = project{".": {"a", "b"}, "d": {"a", "b"}, "d/e": {"a"}, "s*": {"a", "b"}}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// randomClaim is one that a rule can allow.
func randomClaim(r *rand.Rand) capability.Claim {
	c := capability.Claim{Operation: "exec", Provider: pick(r, someIDs)}
	switch r.IntN(8) {
	case 0:
		c.Operation, c.Log = "log", true
	case 1:
		c.Operation = "env_status"
		for range 1 + r.IntN(2) {
			c.Env = append(c.Env, capability.EnvUse{Name: pick(r, someNames), Use: capability.Look})
		}
	case 2, 3:
		c.Operation = "read_file"
		c.Files = []capability.FileUse{{Path: pick(r, someFiles), Use: capability.FileKind(r.IntN(5) / 4)}}
	case 6:
		c.Files = []capability.FileUse{{Path: pick(r, someFiles), Use: capability.Load}}
	case 7:
		c.Operation, c.Net = "probe", []capability.NetUse{{Port: 4000 + r.IntN(3)}}
	case 4:
		c.Operation = "docker_build"
		c.Build = &capability.Build{
			Context: pick(r, someFiles), Dockerfile: pick(r, someFiles), Tags: []string{pick(r, someTags)},
			Network: pick(r, []string{"", "none", "none", "none", "host"}), Target: pick(r, []string{"", "prod", "te*"}), Push: r.IntN(3) == 0,
		}
		if r.IntN(2) == 0 {
			c.Build.Args = []string{pick(r, someNames)}
		}
		randomTexts(r, c.Build)
	default:
		argv := []string{pick(r, []string{"npm", "./a/run", "/bin/x"})}
		for range r.IntN(3) {
			argv = append(argv, pick(r, someWords))
		}
		c.Exec = &capability.Exec{Argv: argv, Dir: "."}
		if r.IntN(3) == 0 {
			c.Env = []capability.EnvUse{{Name: pick(r, someNames), Use: capability.EnvKind(r.IntN(2))}}
		}
	}
	return c
}

// randomTexts gives a build some of what lists of texts are of.
func randomTexts(r *rand.Rand, b *capability.Build) {
	some := func(from ...string) []string {
		if r.IntN(3) > 0 {
			return nil
		}
		return []string{pick(r, from)}
	}
	const digest = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	b.Engine, b.EngineAddress, _ = strings.Cut(pick(r, []string{"docker", "docker", "embedded", "buildkit+tcp://b:1"}), "+")
	b.Bases = some("docker.io/library/node:22", "docker.io/library/node:22"+digest, "ghcr.io/a/b:1")
	if syntax := some("docker.io/docker/dockerfile:1"+digest, "docker.io/docker/dockerfile"+digest); syntax != nil {
		b.Syntax = syntax[0]
	}
	b.Remotes = some("https://acme.dev/a", "https://acme.dev/*", "https://acme.dev/a/b")
	b.Platforms, b.Secrets = some("linux/arm64", "linux/amd64"), some("npm", "aws")
	b.CacheFrom, b.CacheTo = some("ghcr.io/a/c:1", "ghcr.io/a/c:2"), some("ghcr.io/a/c:1", "ghcr.io/a/c:2")
	b.Outputs, b.Layouts = some("oci:dist", "tar:d*/a", "tar:/tmp/a"), some("oci:vendor/a", "oci:v*/a", "oci:/v/a")
}

// FuzzLeast checks the promises of [learn.Policy] for the claims of a seed.
func FuzzLeast(f *testing.F) {
	for seed := range uint64(providertest.Rounds(300)) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		wild := r.IntN(2) == 0
		var claims []capability.Claim
		for range 1 + r.IntN(12) {
			if c := randomClaim(r); wild || !isWild(c) {
				claims = append(claims, c)
			}
		}
		got := learnt(t, directories.files(), claims...)
		if len(got.Left) > 0 {
			t.Fatalf("left %v", got.Left)
		}
		p := parse(t, got.Policy)
		if c := denied(p, claims); c != nil {
			t.Fatalf("%s is denied by\n%s", c, got.Policy)
		}
		for _, less := range without(t, got.Policy) {
			if denied(parse(t, less), claims) == nil {
				t.Errorf("all is allowed with a rule less:\n%s\n%s", got.Policy, less)
			}
		}
		done := deedsOf(claims)
		for _, c := range claims {
			for _, other := range neighbours(c) {
				if d := capability.Decide([]*capability.Policy{p}, other); !wild && d.Allowed && !done.has(other) {
					t.Errorf("%s is allowed, which was not done, by\n%s", other, got.Policy)
				}
			}
		}
	})
}

// isWild reports whether a claim has a text that no rule matches exactly.
func isWild(c capability.Claim) bool {
	text, err := json.Marshal(c)
	return err != nil || strings.ContainsAny(string(text), "*\ufffd") || strings.Contains(string(text), `\ufffd`)
}

func parse(t testing.TB, text string) *capability.Policy {
	t.Helper()
	p, err := capability.Parse("policy.yml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return p
}

// denied is the first claim that a policy denies.
func denied(p *capability.Policy, claims []capability.Claim) *capability.Claim {
	for i := range claims {
		if !capability.Decide([]*capability.Policy{p}, claims[i]).Allowed {
			return &claims[i]
		}
	}
	return nil
}

// without is the policy as often as it has rules, each time without one of
// them, in JSON. A list of which the only rule is gone stays as an empty one.
func without(t testing.TB, text string) []string {
	t.Helper()
	root, err := yamldoc.Parse("policy.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(root.JSON(), &doc); err != nil {
		t.Fatal(err)
	}
	var out []string
	write := func() {
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	var walk func(m map[string]any)
	walk = func(m map[string]any) {
		for key, value := range m {
			switch v := value.(type) {
			case map[string]any:
				walk(v)
			case []any:
				for i := range v {
					m[key] = append(append([]any{}, v[:i]...), v[i+1:]...)
					write()
				}
				m[key] = v
			case bool:
				delete(m, key)
				write()
				m[key] = v
			case string:
				// Neither is a rule.
				if v != "none" && key != "confine" {
					delete(m, key)
					write()
					m[key] = v
				}
			}
		}
	}
	providers := doc["providers"].(map[string]any)
	walk(providers)
	for id, section := range providers {
		delete(providers, id)
		write()
		providers[id] = section
	}
	return out
}

// neighbours are the claims that differ from one in a single thing.
func neighbours(c capability.Claim) []capability.Claim {
	var out []capability.Claim
	change := func(f func(*capability.Claim)) {
		other := clone(c)
		f(&other)
		out = append(out, other)
	}
	change(func(c *capability.Claim) { c.Provider = "stranger" })
	for i := range c.Env {
		change(func(c *capability.Claim) { c.Env[i].Name = "Z" })
		change(func(c *capability.Claim) { c.Env[i].Name += "Z" })
	}
	for i := range c.Files {
		change(func(c *capability.Claim) { c.Files[i].Path = "z" })
		change(func(c *capability.Claim) { c.Files[i].Path = path.Join(c.Files[i].Path, "z") })
		for use := capability.Read; use <= capability.Load; use++ {
			change(func(c *capability.Claim) { c.Files[i].Use = use })
		}
	}
	for i := range c.Net {
		change(func(c *capability.Claim) { c.Net[i].Port++ })
	}
	if c.Exec != nil {
		for i := range c.Exec.Argv {
			change(func(c *capability.Claim) { c.Exec.Argv[i] = "z" })
			change(func(c *capability.Claim) { c.Exec.Argv = slices.Insert(c.Exec.Argv, i+1, "z") })
		}
		change(func(c *capability.Claim) { c.Env = append(c.Env, capability.EnvUse{Name: "Z"}) })
	}
	if c.Build != nil {
		change(func(c *capability.Claim) { c.Build.Context = "z" })
		change(func(c *capability.Claim) { c.Build.Dockerfile = "z" })
		change(func(c *capability.Claim) { c.Build.Tags[0] += "z" })
		change(func(c *capability.Claim) { c.Build.Args = append(c.Build.Args, "Z") })
		change(func(c *capability.Claim) { c.Build.Target = "z" })
		change(func(c *capability.Claim) { c.Build.Network = "default" })
		change(func(c *capability.Claim) { c.Build.Network = "host" })
		change(func(c *capability.Claim) { c.Build.Push = true })
		change(func(c *capability.Claim) { c.Build.EngineAddress = "tcp://z:1" })
		change(func(c *capability.Claim) { c.Build.Engine, c.Build.EngineAddress = "buildkit", "tcp://b:1" })
		change(func(c *capability.Claim) { c.Build.Bases = append(c.Build.Bases, "docker.io/library/z:1") })
		change(func(c *capability.Claim) { c.Build.Bases = []string{"docker.io/library/node:22"} })
		change(func(c *capability.Claim) { c.Build.Syntax = "docker.io/z/z:1" })
		change(func(c *capability.Claim) { c.Build.Remotes = append(c.Build.Remotes, "https://acme.dev/a/z") })
		change(func(c *capability.Claim) { c.Build.Platforms = append(c.Build.Platforms, "linux/riscv64") })
		change(func(c *capability.Claim) { c.Build.Secrets = append(c.Build.Secrets, "z") })
		change(func(c *capability.Claim) { c.Build.CacheFrom, c.Build.CacheTo = c.Build.CacheTo, c.Build.CacheFrom })
		change(func(c *capability.Claim) { c.Build.CacheTo = append(c.Build.CacheTo, "ghcr.io/a/z:1") })
		change(func(c *capability.Claim) { c.Build.Outputs = append(c.Build.Outputs, "oci:z") })
		change(func(c *capability.Claim) { c.Build.Outputs = append(c.Build.Outputs, "oci:/z") })
		change(func(c *capability.Claim) { c.Build.Layouts = append(c.Build.Layouts, "oci:z") })
		change(func(c *capability.Claim) { c.Build.Layouts = append(c.Build.Layouts, "oci:/z") })
	}
	return out
}

func clone(c capability.Claim) capability.Claim {
	c.Env, c.Files, c.Net = slices.Clone(c.Env), slices.Clone(c.Files), slices.Clone(c.Net)
	if c.Exec != nil {
		x := *c.Exec
		x.Argv = slices.Clone(x.Argv)
		c.Exec = &x
	}
	if c.Build != nil {
		b := *c.Build
		for _, list := range []*[]string{&b.Tags, &b.Args, &b.Bases, &b.Remotes, &b.Platforms, &b.Secrets, &b.CacheFrom, &b.CacheTo, &b.Outputs, &b.Layouts} {
			*list = slices.Clone(*list)
		}
		c.Build = &b
	}
	return c
}

// BenchmarkPolicy has 2,000 claims: what a project's run is like, and what
// costs most, which is rules that match one another's texts.
func BenchmarkPolicy(b *testing.B) {
	const n = 2000
	runs := map[string]func(i int) capability.Claim{
		"commands":       func(i int) capability.Claim { return command("npm", "run", fmt.Sprintf("task-%d", i), "--a=b") },
		"files":          func(i int) capability.Claim { return read(fmt.Sprintf("src/%d/%d.ts", i%50, i)) },
		"commands, star": func(i int) capability.Claim { return command("npm", fmt.Sprintf("%d/*.ts", i)) },
		"stars": func(i int) capability.Claim {
			return command("npm", strings.Repeat("a", i%40)+"*"+strings.Repeat("a", i/40))
		},
	}
	for name, claim := range runs {
		b.Run(name, func(b *testing.B) {
			var claims []capability.Claim
			for i := range n {
				claims = append(claims, claim(i), say)
			}
			for b.Loop() {
				learnt(b, nil, claims...)
			}
		})
	}
}

// TestChain has rules of which each matches the texts of all before it.
func TestChain(t *testing.T) {
	var claims []capability.Claim
	for i := range 20 {
		claims = append(claims, command("npm", "*"+"abcdefghijklmnopqrst"[i:]))
	}
	got := learnt(t, nil, claims...)
	if want := "    exec:\n      - [npm, \"*t\"] # * allows any characters and cannot be escaped\n"; !strings.HasSuffix(got.Policy, want) {
		t.Errorf("got\n%s\nwant\n%s", got.Policy, want)
	}
}

// TestManyMatch has rules of which each matches the texts of many others, more
// than are looked for at a time.
func TestManyMatch(t *testing.T) {
	var claims []capability.Claim
	for i := range 64 {
		claims = append(claims, command("npm", strings.Repeat("a", i%8)+"*"+strings.Repeat("a", i/8)), say)
	}
	for i := range 10 {
		claims = append(claims, command("npm", "b*", strings.Repeat("b", i)))
	}
	got := learnt(t, nil, claims...)
	rules := without(t, got.Policy)
	if len(rules) != 12 { // one of them for the provider as a whole
		t.Errorf("got\n%s", got.Policy)
	}
	for _, less := range rules {
		if denied(parse(t, less), claims) == nil {
			t.Errorf("all is allowed with a rule less:\n%s", less)
		}
	}
}
