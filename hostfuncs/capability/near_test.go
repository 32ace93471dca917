package capability_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

func TestNear(t *testing.T) {
	p := parse(t, `version: 1
providers:
  generic:
    exec: [npm run dev, npm run *, ./scripts/x.sh, [node, "--inspect=*", "**"], {command: make all, sha256: "1111111111111111111111111111111111111111111111111111111111111111"}]
    env: {pass: [NODE_ENV, "APP_*", "*"], read: [DOMAIN]}
    files: {read: [backend, "src/*", ".env"], env: [env]}
    net: {connect: ["4000-4010", 65535]}
    build: {contexts: [backend], tags: ["ghcr.io/acme/*"], args: [VERSION], bases: ["node:22", "gcr.io/distroless/*"], secrets: [npm_token], outputs: [dist],
            syntax: ["docker/dockerfile@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], remotes: ["https://acme.dev/*"], engines: ["buildkit+tcp://b1.acme.dev:1234"]}
  other:
    exec: [cargo build]
    net: {connect: [5432]}
`)
	look := func(name string) capability.Claim {
		return capability.Claim{Operation: "env_status", Provider: "generic", Env: []capability.EnvUse{{Name: name, Use: capability.Look}}}
	}
	for _, tt := range []struct {
		claim capability.Claim
		want  string // the first, with its rule
	}{
		{command("npm", "publish"), `npm run dev: its word 2 is "run", not "publish"`},
		{command("npm", "run", "dev", "--force"), `npm run dev: it ends before "--force"; a last ** matches any words`},
		{command("npm", "run", "--x"), `npm run *: its word "*" matches nothing that begins with -, such as "--x"`},
		{command("npm", "run"), `npm run dev: it goes on with "dev"`},
		{command("/usr/bin/npm", "run", "dev"), "npm run dev: the program is called in another way: /usr/bin/npm"},
		{command("nmp", "run", "dev"), "npm run dev: its program is npm"},
		{command("node", "x.js"), `node --inspect=* **: its word 2 is "--inspect=*", not "x.js"`},
		{command("make", "all"), "make all: it pins another file of the program, with sha256 1111111111111111111111111111111111111111111111111111111111111111"},
		{command("cargo", "build"), "cargo build: it is a rule for other, not for generic"},
		{command("curl"), ""},
		{with(command("npm", "run", "dev"), capability.EnvUse{Name: "LD_PRELOAD", Use: capability.Set}), "*: a pattern does not match LD_PRELOAD, since the loader runs code that it names"},
		{look("domain"), ""}, // allowed by *
		{read("backend/a"), "backend: it is the directory itself; backend/** is all in it"},
		{read("src/a/b"), "src/*: its * crosses no slash"},
		{read(".ENV"), ".env: upper and lower case are different letters"},
		{read("nowhere"), ""},
		{read("env/dev"), ""}, // it may be loaded, were it only below the directory
		{load("env/dev"), "env: it is the directory itself; env/** is all in it"},
		{load("src/a/b"), "src/*: its * crosses no slash"},
		{load("backend"), ""}, // allowed
		{connect(3990), "4000-4010: it is another port"},
		{connect(4020), "4000-4010: it is another port"},
		{connect(3989), ""},
		{connect(4021), ""},
		{connect(4005), ""}, // allowed
		{connect(5432), "5432: it is a rule for other, not for generic"},
		{build(func(b *capability.Build) { b.Tags = []string{"ghcr.io/acme/a/b"} }), "ghcr.io/acme/*: its * crosses no slash"},
		{build(func(b *capability.Build) { b.Args = []string{"VERSIONS"} }), "VERSION: it is another name"},
		{on("docker.io/library/node:20"), "node:22: it is another tag"},
		{on("docker.io/library/node:22@sha256:" + digestA), "node:22: it has no digest; node:22@sha256:* is any"},
		{on("gcr.io/distroless/a/b:1"), "gcr.io/distroless/*: its * crosses no slash"},
		{readBy("docker.io/docker/dockerfile:1@sha256:" + digestB), "docker/dockerfile@sha256:" + digestA + ": it is another digest"},
		{fetching("https://acme.dev/a/b"), "https://acme.dev/*: its * crosses no slash"},
		{made(func(b *capability.Build) { b.Secrets = []string{"npm_tokn"} }), "npm_token: it is another name"},
		{writing("oci:dist/a"), "dist: it is the directory itself; dist/** is all in it"},
		{at("buildkit", "tcp://b2.acme.dev:1234"), "buildkit+tcp://b1.acme.dev:1234: it is another name"},
		{command("npm", "run", "dev"), ""}, // allowed
	} {
		got := ""
		if misses := explain.Near(p, tt.claim, 3); len(misses) > 0 {
			got = misses[0].Rule + ": " + misses[0].Why
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.claim, got, tt.want)
		}
	}
	if got := explain.Near(p, command("npm", "run", "x", "y"), 1); len(got) != 1 {
		t.Errorf("got %+v, want one", got)
	}
	if got := explain.Near(nil, command("npm"), 3); got != nil {
		t.Errorf("got %+v", got)
	}
}

// FuzzNear wants answers for any policy and claim, the same each time, and none
// where all is allowed.
func FuzzNear(f *testing.F) {
	for seed := range uint64(providertest.Rounds(300)) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 13))
		p := parse(t, randomRules(r).text(""))
		for range 20 {
			c := randomClaim(r)
			misses := explain.Near(p, c, 3)
			if len(misses) > 3 || len(misses) > 0 && capability.Decide([]*capability.Policy{p}, c).Allowed {
				t.Errorf("%s: %+v", c, misses)
			}
			for _, m := range misses {
				if m.Why == "" || m.Rule == "" || m.Pos.Line == 0 {
					t.Errorf("%s: %+v", c, m)
				}
			}
			if again := explain.Near(p, c, 3); !slices.Equal(again, misses) {
				t.Errorf("%s: %v, then %v", c, misses, fmt.Sprint(again))
			}
		}
	})
}
