package capability_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// The properties hold for policies and claims of a small alphabet, in which
// rules and claims meet often.
var (
	someWords    = []string{"npm", "run", "dev", "-x", "--a=b", "./run.sh", "/usr/bin/npm"}
	wordPatterns = []string{"npm", "run", "dev", "*", "n*", "-*", "--a=*", "./run.sh", "./*", "/usr/bin/*"}
	somePaths    = []string{"a", "a/b", "a/b/c", "d", "."}
	pathPatterns = []string{"a", "a/*", "a/**", "**", "*", "**/c", "a/**/**", "."}
	someNames    = []string{"A", "APP_B", "LD_PRELOAD", "PATH"}
	namePatterns = []string{"A", "APP_*", "*", "LD_PRELOAD"}
	somePorts    = []int{1, 4000, 4001, 4002, 65535}
	portPatterns = []string{"4000", "4001", "4000-4001", "4001-4002", "4000-4002", "*"}

	someImages = []string{
		"docker.io/library/node:22", "docker.io/library/node:latest", "docker.io/acme/shop@sha256:" + digestA, "ghcr.io/acme/shop:1@sha256:" + digestB,
	}
	imagePatterns = []string{
		"node:22", "node", "docker.io/**", "acme/*", "**", "ghcr.io/*/shop:1@*", "ghcr.io/acme/shop@sha256:" + digestB, "index.docker.io/library/node:*", "ghcr.io/acme/shop:1",
	}
	someFrontends    = []string{"docker.io/docker/dockerfile@sha256:" + digestA, "ghcr.io/acme/df:1@sha256:" + digestA, "docker.io/docker/dockerfile:1@sha256:" + digestB}
	frontendPatterns = []string{"docker/dockerfile@sha256:" + digestA, "docker.io/docker/dockerfile:2@sha256:" + digestB, "ghcr.io/acme/df@sha256:" + digestA}
	someRemotes      = []string{"https://acme.dev/a", "https://acme.dev/a/b?c", "ssh://git@github.com/acme/shop.git#main", "https://github.com/ACME/shop"}
	remotePatterns   = []string{"https://acme.dev/*", "https://acme.dev/**", "https://*/acme/shop", "**", "*://github.com/**", "ssh://github.com/acme/shop"}
	somePlatforms    = []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}
	platformPatterns = []string{"linux/amd64", "linux/arm*", "*", "linux/arm/v7"}
	someSecrets      = []string{"npm", "npm_token", "aws"}
	secretPatterns   = []string{"npm", "npm*", "*", "aws"}
	someLayouts      = []string{"oci:vendor", "oci:vendor/a", "oci:/opt/a", "oci:."}
	someOutputs      = []string{"oci:dist", "tar:dist/a.tar", "tar:/tmp/a.tar", "oci:."}
	outputPatterns   = []string{"dist", "dist/*", "**", "/tmp/*", "/**", ".", "DIST/**"}
	someEngines      = []string{"docker", "buildkit", "embedded", "docker+ssh://ci@acme.dev", "buildkit+tcp://b1.acme.dev:1234"}
	enginePatterns   = []string{"docker", "embedded", "buildkit", "buildkit+tcp://*.acme.dev:1234", "buildkit+tcp://b1.acme.dev:1234", "docker+ssh://*"}
)

const (
	digestA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// patterns are the rules that a list is made of, by its path in the policy.
var patterns = map[string][]string{
	"exec": wordPatterns, "env.pass": namePatterns, "env.read": namePatterns, "files.read": pathPatterns, "files.env": pathPatterns, "files.write": pathPatterns,
	"build.contexts": pathPatterns, "build.tags": pathPatterns, "build.args": namePatterns, "build.targets": namePatterns,
	"build.bases": imagePatterns, "build.cache_from": imagePatterns, "build.cache_to": imagePatterns, "build.syntax": frontendPatterns, "build.remotes": remotePatterns,
	"build.platforms": platformPatterns, "build.secrets": secretPatterns, "build.outputs": outputPatterns, "build.layouts": outputPatterns, "build.engines": enginePatterns,
	"net.connect": portPatterns,
}

var keys = func() []string {
	var out []string
	for key := range patterns {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}()

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func pickNetwork(r *rand.Rand) string { return pick(r, []string{"none", "default", "host"}) }

// ruleSet is a policy as data, so that it can be shuffled and added to. Each
// rule is in JSON.
type ruleSet struct {
	allow, deny map[string][]string
	network     string
	push        bool
	digest      bool            // of each base image
	unsaid      map[string]bool // lists that are left out while they are empty
}

func randomRules(r *rand.Rand) ruleSet {
	s := ruleSet{allow: map[string][]string{}, deny: map[string][]string{}, network: pickNetwork(r), push: r.IntN(2) == 0, digest: r.IntN(6) == 0, unsaid: map[string]bool{}}
	for _, key := range keys {
		// Only a build's lists mean something else when they are left out.
		if s.unsaid[key] = strings.HasPrefix(key, "build.") && r.IntN(3) == 0; s.unsaid[key] {
			continue
		}
		for range r.IntN(5) {
			add(s.allow, key, r)
		}
		if r.IntN(6) == 0 {
			add(s.deny, key, r)
		}
	}
	return s
}

func add(to map[string][]string, key string, r *rand.Rand) {
	pattern := pick(r, patterns[key])
	var rule any = pattern
	if port, err := strconv.Atoi(pattern); err == nil {
		rule = port
	}
	if key == "exec" {
		words := randomWords(r, wordPatterns)
		if r.IntN(3) == 0 {
			words = append(words, "**")
		}
		rule = words
	}
	text, _ := json.Marshal(rule)
	if !slices.Contains(to[key], string(text)) {
		to[key] = append(to[key], string(text))
	}
}

func randomWords(r *rand.Rand, from []string) []string {
	var words []string
	for range 1 + r.IntN(3) {
		words = append(words, pick(r, from))
	}
	return words
}

func (s ruleSet) shuffle(r *rand.Rand) {
	for _, lists := range []map[string][]string{s.allow, s.deny} {
		for _, key := range keys {
			list := lists[key]
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
	}
}

// text is the policy; more is put behind the provider's section.
func (s ruleSet) text(more string) string {
	var b strings.Builder
	list := func(indent, key string) {
		if s.unsaid[key] && len(s.allow[key])+len(s.deny[key]) == 0 {
			return
		}
		name := key[strings.Index(key, ".")+1:]
		fmt.Fprintf(&b, "%s%s: {allow: [%s], deny: [%s]}\n", indent, name, strings.Join(s.allow[key], ", "), strings.Join(s.deny[key], ", "))
	}
	b.WriteString("version: 1\nproviders:\n  generic:\n")
	list("    ", "exec")
	for _, part := range []string{"env", "files", "net", "build"} {
		b.WriteString("    " + part + ":\n")
		for _, key := range keys {
			if strings.HasPrefix(key, part+".") {
				list("      ", key)
			}
		}
	}
	fmt.Fprintf(&b, "      network: %s\n      push: %v\n      require_digest: %v\n", s.network, s.push, s.digest)
	return b.String() + more
}

func randomClaim(r *rand.Rand) capability.Claim {
	use := capability.EnvUse{Name: pick(r, someNames), Use: capability.EnvKind(r.IntN(3))}
	file := capability.FileUse{Path: pick(r, somePaths), Use: capability.FileKind(r.IntN(4))}
	if file.Use == capability.Watch {
		file.Path = path.Join(file.Path, pick(r, []string{"**", "*", "**/*.js"}))
	}
	switch r.IntN(6) {
	case 0:
		return command(randomWords(r, someWords)...)
	case 1:
		return with(command(randomWords(r, someWords)...), use)
	case 3:
		return connect(somePorts[r.IntN(len(somePorts))])
	case 4:
		c := command(randomWords(r, someWords)...)
		c.Files = append(load(pick(r, somePaths)).Files, file)
		return c
	case 2:
		return build(func(b *capability.Build) {
			b.Context, b.Dockerfile, b.Tags, b.Args = pick(r, somePaths), pick(r, somePaths), []string{pick(r, somePaths)}, []string{pick(r, someNames)}
			b.Target, b.Network, b.Push = pick(r, someNames), pickNetwork(r), r.IntN(3) == 0
			randomTexts(r, b)
		})
	default:
		c := read("")
		c.Files[0] = file
		return c
	}
}

// randomTexts gives a build some of what lists of texts are of.
func randomTexts(r *rand.Rand, b *capability.Build) {
	some := func(from []string) []string {
		if r.IntN(4) > 0 {
			return nil
		}
		return []string{pick(r, from)}
	}
	b.Engine, b.EngineAddress, _ = strings.Cut(pick(r, someEngines), "+")
	b.Bases, b.CacheFrom, b.CacheTo = append(some(someImages), some(someImages)...), some(someImages), some(someImages)
	if syntax := some(someFrontends); syntax != nil {
		b.Syntax = syntax[0]
	}
	b.Remotes, b.Platforms, b.Secrets, b.Outputs = some(someRemotes), some(somePlatforms), some(someSecrets), some(someOutputs)
	b.Layouts = some(someLayouts)
}

// FuzzDecide holds the properties of decisions for the policies and claims
// that a seed gives.
func FuzzDecide(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		rules, other, claim := randomRules(r), randomRules(r), randomClaim(r)
		p, q := parse(t, rules.text("")), parse(t, other.text(""))
		decide := func(policies ...*capability.Policy) capability.Decision { return capability.Decide(policies, claim) }
		d := decide(p)

		rules.shuffle(r)
		if e := decide(parse(t, rules.text(""))); e.Allowed != d.Allowed {
			t.Errorf("the order of rules matters: %s, then %s", d.Reason(), e.Reason())
		}
		x, y := decide(p, q), decide(q, p)
		if x.Allowed && !d.Allowed {
			t.Errorf("a layer more widens: %s, then %s", d.Reason(), x.Reason())
		}
		if x.Allowed != (d.Allowed && decide(q).Allowed) {
			t.Errorf("two layers are not both: %s", x.Reason())
		}
		if x.Reason() != y.Reason() || !slices.Equal(x.Missing, y.Missing) {
			t.Errorf("the order of layers matters: %s, then %s", x.Reason(), y.Reason())
		}
		for _, none := range [][]*capability.Policy{nil, {}, {nil}, {p, nil}, {nil, p}} {
			if e := capability.Decide(none, claim); e.Allowed {
				t.Errorf("%v allows %v", none, claim)
			}
		}
		checkMissing(t, rules, claim, d)
		add(rules.deny, pick(r, keys), r)
		if e := decide(parse(t, rules.text(""))); e.Allowed && !d.Allowed {
			t.Errorf("a deny more widens: %s, then %s", d.Reason(), e.Reason())
		}
	})
}

// checkMissing wants a denial to lack nothing where a rule denies, and else
// what is enough when it is added to the same policy.
func checkMissing(t *testing.T, rules ruleSet, claim capability.Claim, d capability.Decision) {
	t.Helper()
	switch {
	case d.Allowed || d.Rule != "":
		if len(d.Missing) > 0 {
			t.Errorf("%s, and yet %v is missing", d.Reason(), d.Missing)
		}
		return
	case len(d.Missing) == 0:
		t.Fatalf("%s, and nothing is missing", d.Reason())
	}
	// The rules for all providers are added to the provider's own.
	_, more, _ := strings.Cut(explain.Snippet("*", d.Missing), "providers:\n")
	if e := capability.Decide([]*capability.Policy{parse(t, rules.text(more))}, claim); !e.Allowed {
		t.Errorf("%v: %s, with\n%s", claim, e.Reason(), more)
	}
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
