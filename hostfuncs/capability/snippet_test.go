package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

func TestSnippetText(t *testing.T) {
	all := build(func(b *capability.Build) {
		b.Dockerfile, b.Args, b.Target, b.Network, b.Push = "Dockerfile", []string{"A", "B"}, "prod", "host", true
	})
	all.Exec = command("npm", "run", "dev").Exec
	all.Env = []capability.EnvUse{{Name: "NODE_ENV", Use: capability.Set}, {Name: "NODE_ENV", Use: capability.Pass}, {Name: "on", Use: capability.Look}}
	all.Files = []capability.FileUse{{Path: "a b"}, {Path: "dist", Use: capability.Write}, {Path: ".env.local", Use: capability.Load}}
	all.Net = []capability.NetUse{{Port: 4000}, {Port: 5432}, {Port: 4000}}
	for _, tt := range []struct {
		name  string
		claim capability.Claim
		want  string // below the provider's line
	}{
		{"all parts", all, `
    exec:
      allow:
        - npm run dev
    env:
      pass: [NODE_ENV]
      read: ["on"]
    files:
      read: [a b, Dockerfile]
      env: [.env.local]
      write: [dist]
    build:
      contexts: [backend]
      tags: ["ghcr.io/acme/shop:1"]
      args: [A, B]
      targets: [prod]
      network: host
      push: true
    net:
      connect: [4000, 5432]
`},
		{"all texts", made(func(b *capability.Build) {
			b.Engine, b.EngineAddress, b.Bases, b.Syntax = "buildkit", "tcp://b1.acme.dev:1234", []string{"docker.io/library/node:22"}, "docker.io/d/d:1@sha256:"+digestA
			b.Remotes, b.Platforms, b.Secrets, b.Outputs = []string{"https://acme.dev/a"}, []string{"linux/arm64"}, []string{"npm"}, []string{"oci:dist", "tar:/tmp/x.tar"}
			b.Layouts = []string{"oci:vendor/a", "oci:/opt/a"}
			b.CacheFrom, b.CacheTo = []string{"ghcr.io/acme/c:1"}, []string{"ghcr.io/acme/c:2"}
		}), `
    build:
      contexts: [backend]
      tags: ["ghcr.io/acme/shop:1"]
      bases: ["docker.io/library/node:22"]
      layouts: [vendor/a, /opt/a]
      syntax: ["docker.io/d/d@sha256:` + digestA + `"]
      remotes: ["https://acme.dev/a"]
      platforms: [linux/arm64]
      secrets: [npm]
      cache_from: ["ghcr.io/acme/c:1"]
      cache_to: ["ghcr.io/acme/c:2"]
      outputs: [dist, /tmp/x.tar]
      engines: ["buildkit+tcp://b1.acme.dev:1234"]
`},
		{"words as a list", command("sh", "-c", "a 'b'"), `
    exec:
      allow:
        - [sh, "-c", "a 'b'"]
`},
		{"a star is a pattern", command("sh", "-c", "**/*.ts"), `
    exec:
      allow:
        - [sh, "-c", "*/*.ts"] # a * here allows any characters, since it cannot be written exactly
`},
		{"program in the project", run("scripts", "/p/scripts/run.sh", "scripts/run.sh", "./run.sh"), `
    exec:
      allow:
        - ./scripts/run.sh
`},
		{"log", capability.Claim{Operation: "log", Provider: "generic", Log: true}, " {}\n"},
	} {
		d := capability.Decide(nil, tt.claim)
		if got, want := explain.Snippet("generic", d.Missing), "version: 1\nproviders:\n  generic:"+tt.want; got != want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, want)
		}
	}
}

// TestSnippetMerged has what the denials of two calls lack.
func TestSnippetMerged(t *testing.T) {
	got := explain.Snippet("1", []capability.Grant{{Key: "build.network", Rule: "host"}, {Key: "build.network", Rule: "default"}, {}})
	if want := "version: 1\nproviders:\n  \"1\":\n    build:\n      network: host\n"; got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestUngrantable has claims that a rule could allow in kind, but none can be
// written.
func TestUngrantable(t *testing.T) {
	for want, claim := range map[string]capability.Claim{
		"the program does not exist":                    run(".", "", "", "../x"),
		"LD_* cannot be named in full, and the loader ": with(command("npm"), capability.EnvUse{Name: "LD_*"}),
	} {
		d := capability.Decide(nil, claim)
		if d.Allowed || len(d.Missing) > 0 || !strings.Contains(d.Reason(), want) {
			t.Errorf("got %s, missing %v, want %s", d.Reason(), d.Missing, want)
		}
	}
}

// FuzzSnippet wants that what a denial proposes to add does allow the claim,
// whenever it proposes something; and that it does for every claim but those
// that no rule can allow.
func FuzzSnippet(f *testing.F) {
	f.Add("npm", "", "run dev", "--x=*", "a/b", "NODE_ENV", "ghcr.io/acme/shop:1", uint8(0))
	f.Add("./run.sh", "bin/run", "", "**", "a b/ä", "LD_PRELOAD", "x", uint8(1))
	f.Add("true", "", "null", "- x: #y", "*", "A-B", "**/a/**/b/**", uint8(2))
	f.Add("/usr/bin/a b", "", "'", "\"\\\n\x7f\u2028\u0085", "[x]", "npm_config_x", "a//b", uint8(3))
	f.Add(`C:\x\npm.cmd`, "", "\xff", "-\xff", "**/**/**", "A B", "../x", uint8(4))
	f.Add(".", "", "\ufeff", "\ufffe", ".", "LD_*", "*", uint8(5))
	f.Add("../x", "a**b", "\U000e0001", "~", "a/../b", "yes", "1", uint8(6))
	f.Add(`\\`, "0", "*", "B", "8", ":", "0", uint8(179))
	f.Add("a\xff", "", "-\xff\xff", "b", "a", "A", "x\xff", uint8(8))
	f.Add("D:x", "", "0x1", ".5", "2026-01-01", "<<", "=", uint8(7))
	f.Add("npm", "", "a", "b", "https://acme.dev/**", "A", "x", uint8(3))
	f.Add("npm", "", "a", "b", "d", "A", "ghcr.io/a/b:1@sha256:"+digestA, uint8(2))
	f.Add("npm", "", "a/*", "b", "C:/**", "A", "localhost/a:1", uint8(5))
	f.Fuzz(func(t *testing.T, program, inside, a, b, path, name, tag string, kind uint8) {
		claim := with(run(".", "", inside, program, a, b), capability.EnvUse{Name: name, Use: capability.EnvKind(kind % 3)})
		if kind%2 == 0 {
			claim.Exec.Program = "/usr/bin/" + strings.TrimLeft(program, "/.")
		}
		claim.Files = []capability.FileUse{{Path: path, Use: capability.FileKind(kind / 2 % 3)}}
		claim.Net = []capability.NetUse{{Port: 1 + int(kind)*256, Use: capability.Connect}}
		networks := []string{"", "none", "default", "host"}
		claim.Build = &capability.Build{Context: path, Dockerfile: "docker/" + strings.Trim(b, "./"), Tags: []string{tag}, Target: a, Network: networks[kind%4], Push: kind > 100}
		texts := claim.Build
		texts.Engine, texts.EngineAddress, _ = strings.Cut(someEngines[int(kind)%len(someEngines)], "+")
		switch kind % 8 {
		case 1:
			texts.Bases, texts.CacheFrom = []string{tag}, []string{tag}
		case 2:
			texts.Syntax = tag
		case 3:
			texts.Remotes = []string{path}
		case 4:
			texts.Platforms, texts.Secrets = []string{tag}, []string{name}
		case 5:
			texts.Outputs, texts.Layouts = []string{"oci:" + path, "tar:/" + a}, []string{"oci:" + path}
		}
		d := capability.Decide(nil, claim)
		if d.Allowed {
			t.Fatal("allowed without a policy")
		}
		if len(d.Missing) == 0 {
			if p := parse(t, everything); capability.Decide([]*capability.Policy{p}, claim).Allowed {
				t.Errorf("%s: a policy allows it, and yet: %s", claim, d.Reason())
			}
			return
		}
		text := explain.Snippet("generic", d.Missing)
		p, err := capability.Parse("p.yml", []byte(text))
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e := capability.Decide([]*capability.Policy{p}, claim); !e.Allowed {
			t.Errorf("%s: %s, missing %v, with\n%s", claim, e.Reason(), e.Missing, text)
		}
	})
}
