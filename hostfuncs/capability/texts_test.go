package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

// made is a build by the engine of this machine.
func made(change func(*capability.Build)) capability.Claim {
	return build(func(b *capability.Build) {
		b.Engine = "docker"
		change(b)
	})
}

func on(bases ...string) capability.Claim {
	return made(func(b *capability.Build) { b.Bases = bases })
}

func readBy(image string) capability.Claim {
	return made(func(b *capability.Build) { b.Syntax = image })
}

func fetching(urls ...string) capability.Claim {
	return made(func(b *capability.Build) { b.Remotes = urls })
}

func writing(output string) capability.Claim {
	return made(func(b *capability.Build) { b.Outputs = []string{output} })
}

func taking(layout string) capability.Claim {
	return made(func(b *capability.Build) { b.Layouts = []string{layout} })
}

func at(engine, address string) capability.Claim {
	return made(func(b *capability.Build) { b.Engine, b.EngineAddress = engine, address })
}

// TestTexts has one line of a section build each, and what it allows.
func TestTexts(t *testing.T) {
	const (
		node, nodeA = "docker.io/library/node:22", "docker.io/library/node:22@sha256:" + digestA
		hub, dir    = "docker.io/docker/dockerfile", "oci:dist/image"
	)
	platform := func(name string) capability.Claim {
		return made(func(b *capability.Build) { b.Platforms = []string{name} })
	}
	secret := func(id string) capability.Claim {
		return made(func(b *capability.Build) { b.Secrets = []string{id} })
	}
	for _, tt := range []struct {
		name, line string
		claim      capability.Claim
		want       bool
	}{
		{"any base", "", on(node), true},
		{"no base", "bases: []", on(), true},
		{"a base where there are none", "bases: []", on(node), false},
		{"a base by its short name", "bases: ['node:22']", on(node), true},
		{"by its full name", "bases: ['docker.io/library/node:22']", on(node), true},
		{"another tag", "bases: ['node:20']", on(node), false},
		{"a tag with a digest of any", "bases: ['node:22']", on(nodeA), false},
		{"a digest whatever the tag", "bases: ['node@sha256:" + digestA + "']", on(nodeA), true},
		{"another digest", "bases: ['node@sha256:" + digestB + "']", on(nodeA), false},
		{"any tag", "bases: ['node:*']", on(nodeA), true},
		{"one of two", "bases: ['node:*']", on(node, "docker.io/library/go:1"), false},
		{"another host", "bases: ['node:*']", on("ghcr.io/library/node:22"), false},
		{"a directory more", "bases: ['gcr.io/distroless/*']", on("gcr.io/distroless/a/b:1"), false},
		{"denied base", "bases: {allow: ['**'], deny: ['node:22']}", on(node), false},
		{"denied tag with a digest", "bases: {allow: ['**'], deny: ['node:22']}", on(nodeA), false},
		{"denied digest with a tag", "bases: {allow: ['**'], deny: ['node@sha256:" + digestA + "']}", on(nodeA), false},
		{"denied at another host of the hub's", "bases: {allow: ['**'], deny: ['node:22']}", on("registry-1.docker.io/library/node:22"), false},
		{"denied at the usual port", "bases: {allow: ['**'], deny: ['ghcr.io/acme/*']}", on("ghcr.io:443/acme/x:1"), false},
		{"beside what is denied", "bases: {allow: ['**'], deny: ['node:22']}", on("docker.io/library/node:20"), true},
		{"not known bases", "bases: ['**']", build(func(*capability.Build) {}), false},
		{"not known bases, digests wanted", "require_digest: true", build(func(*capability.Build) {}), false},
		{"not known bases, any", "require_digest: false", build(func(*capability.Build) {}), true},
		{"with a digest", "require_digest: true", on(nodeA), true},
		{"without one", "require_digest: true", on(node), false},
		{"one of two without", "require_digest: true, bases: ['**']", on(nodeA, node), false},
		{"none is wanted", "require_digest: false", on(node), true},

		{"frontend", "", readBy(hub + ":1@sha256:" + digestA), false},
		{"listed frontend", "syntax: [docker/dockerfile@sha256:" + digestA + "]", readBy(hub + ":1@sha256:" + digestA), true},
		{"listed with a tag", "syntax: [docker/dockerfile:2@sha256:" + digestA + "]", readBy(hub + "@sha256:" + digestA), true},
		{"another one's digest", "syntax: [docker/dockerfile@sha256:" + digestA + "]", readBy(hub + "@sha256:" + digestB), false},
		{"the digest elsewhere", "syntax: [docker/dockerfile@sha256:" + digestA + "]", readBy("ghcr.io/x/y@sha256:" + digestA), false},
		{"frontend without a digest", "syntax: [docker/dockerfile@sha256:" + digestA + "]", readBy(hub + ":1"), false},
		{"denied frontend", "syntax: {allow: [x/y@sha256:" + digestA + "], deny: [docker/dockerfile@sha256:" + digestA + "]}", readBy("docker.io/x/y@sha256:" + digestA), false},

		{"remote", "", fetching("https://acme.dev/a"), false},
		{"listed remote", "remotes: ['https://acme.dev/*']", fetching("https://acme.dev/a"), true},
		{"deeper remote", "remotes: ['https://acme.dev/*']", fetching("https://acme.dev/a/b"), false},
		{"remote at another scheme", "remotes: ['https://acme.dev/*']", fetching("http://acme.dev/a"), false},
		{"remote at any depth", "remotes: ['https://acme.dev/**']", fetching("https://acme.dev/a/b#c"), true},
		{"one remote of two", "remotes: ['https://acme.dev/**']", fetching("https://acme.dev/a", "https://evil.dev/a"), false},
		{"host that begins as one", "remotes: ['https://*.acme.dev/**']", fetching("https://evil.dev/x.acme.dev/y"), false},
		{"denied remote", "remotes: {allow: ['**'], deny: ['https://acme.dev/a']}", fetching("https://acme.dev/a"), false},
		{"denied remote in another case", "remotes: {allow: ['**'], deny: ['https://github.com/acme/*']}", fetching("https://github.com/ACME/x"), false},
		{"denied remote of another user", "remotes: {allow: ['**'], deny: ['ssh://github.com/**']}", fetching("ssh://git@github.com/a/b"), false},
		{"denied repository", "remotes: {allow: ['**'], deny: ['https://github.com/a/b.git']}", fetching("https://github.com/a/b#main:x/y"), false},
		{"denied repository without .git", "remotes: {allow: ['**'], deny: ['https://github.com/a/b']}", fetching("https://github.com/a/b.git#main"), false},
		{"denied remote with a query", "remotes: {allow: ['**'], deny: ['https://acme.dev/a']}", fetching("https://acme.dev/a?b=c"), false},
		{"denied remote with a slash", "remotes: {allow: ['**'], deny: ['https://acme.dev/a']}", fetching("https://acme.dev/a/"), false},
		{"denied remote, encoded", "remotes: {allow: ['**'], deny: ['https://acme.dev/a+b']}", fetching("https://acme.dev/a%2Bb"), false},
		{"denied scheme", "remotes: {allow: ['**'], deny: ['http://**']}", fetching("http://acme.dev/a"), false},
		{"beside a denied scheme", "remotes: {allow: ['**'], deny: ['http://**']}", fetching("https://acme.dev/a"), true},

		{"any platform", "", platform("linux/arm64"), true},
		{"the engine's platform", "platforms: []", made(func(*capability.Build) {}), true},
		{"no platform", "platforms: []", platform("linux/arm64"), false},
		{"listed platform", "platforms: ['linux/*']", platform("linux/arm/v7"), true},
		{"denied platform", "platforms: {allow: ['*'], deny: ['linux/arm*']}", platform("linux/arm/v7"), false},

		{"secret", "", secret("npm"), false},
		{"listed secret", "secrets: [npm]", secret("npm"), true},
		{"another secret", "secrets: [npm]", secret("npm2"), false},
		{"denied secret", "secrets: {allow: ['*'], deny: [npm]}", secret("npm"), false},

		{"cache", "", made(func(b *capability.Build) { b.CacheFrom = []string{"ghcr.io/acme/c:1"} }), false},
		{"listed cache", "cache_from: ['ghcr.io/acme/*']", made(func(b *capability.Build) { b.CacheFrom = []string{"ghcr.io/acme/c:1"} }), true},
		{"cache to where one is from", "cache_from: ['ghcr.io/acme/*']", made(func(b *capability.Build) { b.CacheTo = []string{"ghcr.io/acme/c:1"} }), false},
		{"cache to", "cache_to: ['ghcr.io/acme/*']", made(func(b *capability.Build) { b.CacheTo = []string{"ghcr.io/acme/c:1"} }), true},
		{"denied cache to", "cache_to: {allow: ['**'], deny: [acme/c]}", made(func(b *capability.Build) { b.CacheTo = []string{"docker.io/acme/c:latest"} }), false},

		{"output", "", writing(dir), false},
		{"listed layout", "layouts: ['vendor/*']", taking("oci:vendor/a"), true},
		{"a layout that no rule names", "outputs: ['**']", taking("oci:vendor/a"), false},
		{"a layout outside by **", "layouts: ['**']", taking("oci:/opt/a"), false},
		{"a layout outside", "layouts: [/opt/*]", taking("oci:/opt/a"), true},
		{"denied layout", "layouts: {allow: ['**'], deny: [Vendor]}", taking("oci:vendor"), false},
		{"a file for a layout", "layouts: ['**']", taking("tar:vendor/a"), false},
		{"listed output", "outputs: ['dist/*']", writing(dir), true},
		{"a file there", "outputs: ['dist/*']", writing("tar:dist/a.tar"), true},
		{"an output deeper", "outputs: ['dist/*']", writing("tar:dist/a/b.tar"), false},
		{"an absolute output by **", "outputs: ['**']", writing("tar:/etc/cron.d/x"), false},
		{"an absolute output", "outputs: ['/tmp/**']", writing("tar:/tmp/x.tar"), true},
		{"a drive's output", "outputs: ['C:/out/*']", writing("tar:C:/out/x.tar"), true},
		{"a drive's output by **", "outputs: ['**']", writing("tar:C:/out/x.tar"), false},
		{"an output by an absolute one", "outputs: ['/**']", writing(dir), false},
		{"denied output", "outputs: {allow: ['**'], deny: [DIST/**]}", writing(dir), false},
		{"denied absolute output", "outputs: {allow: ['/**'], deny: [/TMP/**]}", writing("tar:/tmp/x.tar"), false},

		{"engine", "", at("embedded", ""), true},
		{"engine elsewhere", "", at("docker", "tcp://acme.dev:2376"), false},
		{"listed engine", "engines: [embedded]", at("embedded", ""), true},
		{"another engine", "engines: [embedded]", at("docker", ""), false},
		{"the engine that is not named", "engines: [embedded]", build(func(*capability.Build) {}), false},
		{"it is docker", "engines: [docker]", build(func(*capability.Build) {}), true},
		{"no engine", "engines: []", at("docker", ""), false},
		{"one that isn't elsewhere", "engines: [buildkit]", at("buildkit", "tcp://acme.dev:1"), false},
		{"listed address", "engines: ['buildkit+tcp://*.acme.dev:1234']", at("buildkit", "tcp://b.acme.dev:1234"), true},
		{"another port", "engines: ['buildkit+tcp://*.acme.dev:1234']", at("buildkit", "tcp://b.acme.dev:1235"), false},
		{"another engine there", "engines: ['buildkit+tcp://*.acme.dev:1234']", at("docker", "tcp://b.acme.dev:1234"), false},
		{"denied address", "engines: {allow: ['buildkit+tcp://*.acme.dev:1234'], deny: ['buildkit+tcp://b.acme.dev:1234']}", at("buildkit", "tcp://b.acme.dev:1234"), false},
		{"denied engine", "engines: {allow: [docker], deny: [docker]}", at("docker", ""), false},
		{"load", "", made(func(b *capability.Build) { b.Load = true }), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := tt.line
			if line != "" {
				line = ", " + line
			}
			p := parse(t, "version: 1\nproviders: {generic: {build: {contexts: ['**'], tags: ['**']"+line+"}}}")
			if d := capability.Decide([]*capability.Policy{p}, tt.claim); d.Allowed != tt.want {
				t.Errorf("%v: %s", tt.claim, d.Reason())
			}
		})
	}
}

// TestTextsOfAll has the provider's own rules and those for all.
func TestTextsOfAll(t *testing.T) {
	p := parse(t, `version: 1
providers:
  generic: {build: {contexts: ["**"], tags: ["**"], bases: [node]}}
  "*": {build: {bases: {allow: [go], deny: [php]}, require_digest: true}}
`)
	const digest = "@sha256:" + digestA
	for base, want := range map[string]string{
		"docker.io/library/node:latest" + digest: `no rule`, "docker.io/library/go:1" + digest: "no rule",
		"docker.io/library/php:latest" + digest: `denied by "php", policy.yml:4:`,
		"docker.io/library/php:latest":          `denied by "php", policy.yml:4:`,
		"docker.io/library/node:latest":         `denied by "require_digest: true", policy.yml:4:68: docker.io/library/node:latest has none`,
	} {
		if d := capability.Decide([]*capability.Policy{p}, on(base)); d.Allowed || !strings.HasPrefix(d.Reason(), want) {
			t.Errorf("%s: %s", base, d.Reason())
		}
	}
}

// TestTextFault has builds that no rule can allow, and the same but for what is
// wrong with them.
func TestTextFault(t *testing.T) {
	p := parse(t, everything)
	cache := func(ref string) capability.Claim {
		return made(func(b *capability.Build) { b.CacheTo = []string{ref} })
	}
	platform := func(name string) capability.Claim {
		return made(func(b *capability.Build) { b.Platforms = []string{name} })
	}
	for want, claims := range map[string][]capability.Claim{
		"": {
			on("docker.io/library/node:22", "localhost/x:1", "[::1]:5000/x:1", "ghcr.io/a/b@sha256:"+digestA), cache("ghcr.io/a/b:1"),
			fetching("https://acme.dev/", "http://acme.dev:8080/a", "git://[::1]/x", "https://acme.dev/a%20b", "https://acme.dev/k3s%2B1?a=../b"),
			fetching("https://acme.dev/r.git#v1..v2:a..b/..c/d..", "https://acme.dev/r.git?ref=v1...v2&subdir=a/...", "https://acme.dev/a?b=100%", "https://acme.dev/r.git#main:50%25"),
			platform("linux/amd64"), platform("linux/arm/v7"), platform("linux/arm64/v9"), platform("windows/amd64"),
			writing("oci:."), writing("tar:/x"), writing("tar:C:/x"), at("docker", "ssh://acme.dev"), at("buildkit", "tcp://[::1]:1234"),
		},
		"is not a full reference of an image": {
			on("node:22"), on("docker.io/node:22"), on("docker.io/library/node"), on("index.docker.io/library/node:22"), on("GHCR.io/a/b:1"), on("ghcr.io/A/b:1"),
			on("ghcr.io/a/b:1@sha512:" + digestA + digestA), on("acme/shop:1"), on(""), on("ghcr.io/a//b:1"), on("ghcr.io/a/../b:1\n"), readBy("docker/dockerfile:1"),
		},
		"is not a full reference of a cache": {cache("ghcr.io/a/b"), cache("type=local,dest=x")},
		"is not a clean URL of a source": {
			fetching("https://acme.dev"), fetching("https://acme.dev?x.good.dev/"), fetching("https://acme.dev#x.good.dev/"), fetching("https://acme.dev\\x.good.dev/"),
			fetching("ftp://acme.dev/a"), fetching("HTTPS://acme.dev/a"), fetching("https://Acme.dev/a"), fetching("https://acme.dev./a"), fetching("https://acme.dev:443/a"),
			fetching("ssh://git@acme.dev:22/a"), fetching("https://acme.dev/a/../b"), fetching("https://acme.dev/./b"), fetching("https://acme.dev//b"), fetching("https://acme.dev/a b"),
			fetching("https://acme.dev/%2e%2e/b"), fetching("https://acme.dev/%2Fb"), fetching("https://acme.dev/%61"), fetching("https://acme.dev/%"), fetching("https://acme.dev/%e4"),
			fetching("https://u:p@acme.dev/a"), fetching("git@github.com:a/b"), fetching("/a"), fetching(""), fetching("https:///a"), fetching("https://acme.dev/a\x00"),
		},
		"has .. in it, which can lead out of a repository: write it without ..": {
			fetching("https://acme.dev/r.git#main:../../x"), fetching("https://acme.dev/r.git#main:a/.."), fetching("https://acme.dev/r.git#:.."), fetching("https://acme.dev/r.git#a/../.."),
			fetching("https://acme.dev/r.git#main:%2e%2E/x"), fetching("https://acme.dev/r.git#main:..%2fx"), fetching("https://acme.dev/r.git#main:..%5Cx"), fetching("https://acme.dev/r.git#main:a%5c..%5Cx"),
			fetching("https://acme.dev/r.git#main:%252e%252e"), fetching("https://acme.dev/r.git#main:%25252e%25252e"), fetching("https://acme.dev/r.git#main:%2525252525"),
			fetching("https://acme.dev/r.git?subdir=.."), fetching("https://acme.dev/r.git?ref=main&subdir=a%2F..%2F..%2Fb"), fetching("https://acme.dev/r.git?sub%64ir=..&ref=main"), fetching("https://acme.dev/r.git?subdir=..#main"),
			fetching("https://acme.dev/r.git?ref=a/../.."), fetching("https://acme.dev/r.git?ref=x;subdir=.."), fetching("https://acme.dev/r?subdir=../x"), fetching("https://acme.dev/r?SUBDIR=../x"), fetching("https://acme.dev/r.git?#:.."),
			fetching("ssh://git@acme.dev/r#main:../x"), fetching("ssh://git@acme.dev/r?subdir=../x"), fetching("git://acme.dev/r#:../x"), fetching("http://acme.dev/a#x/../y"), fetching("https://acme.dev/a/%252e%252e/r.git"),
			fetching("https://acme.dev/a", "https://acme.dev/r.git#main:.."),
		},
		"is not a platform by its usual name": {
			platform("linux"), platform("linux/aarch64"), platform("linux/x86_64"), platform("macos/arm64"), platform("linux/arm64/v8"), platform("linux/amd64/v1"),
			platform("linux/arm"), platform("Linux/amd64"), platform("linux/a/b/c"), platform(""), platform("linux/amd64\n"),
		},
		"is not the ID of a secret":          {made(func(b *capability.Build) { b.Secrets = []string{"a/b"} }), made(func(b *capability.Build) { b.Secrets = []string{""} })},
		"is not an output with":              {writing("dist"), writing("docker:x"), writing("oci:../x"), writing("oci:a/../b"), writing("oci:"), writing("tar:/a/../b"), writing("tar:C:x"), writing("tar:/a\x00"), writing("tar:/a\xff")},
		"is not an engine or the address":    {at("podman", ""), at("docker", "tcp://acme.dev"), at("docker", "unix:///x"), at("docker", "tcp://acme.dev:1/x"), at("docker", "tcp://evil.dev/?.acme.dev:1"), at("docker", "ssh://a@b@acme.dev")},
		"the embedded engine has no address": {at("embedded", "tcp://acme.dev:1")},
		"which engine builds":                {at("", "tcp://acme.dev:1"), build(func(b *capability.Build) { b.Bases = []string{"docker.io/library/node:22"} })},
		"rights over the machine":            {made(func(b *capability.Build) { b.Insecure = true })},
	} {
		for _, c := range claims {
			d := capability.Decide([]*capability.Policy{p}, c)
			if d.Allowed != (want == "") || !strings.Contains(d.Reason(), want) || len(d.Missing) > 0 {
				t.Errorf("%q %q %q: got %s, missing %v, want %q", c.Build.Bases, c.Build.Remotes, c.Build.Outputs, d.Reason(), d.Missing, want)
			}
		}
	}
}

func TestReference(t *testing.T) {
	for text, want := range map[string]string{
		"node": "docker.io/library/node:latest", "node:22": "docker.io/library/node:22", "acme/shop": "docker.io/acme/shop:latest",
		"docker.io/node": "docker.io/library/node:latest", "index.docker.io/acme/x:1": "docker.io/acme/x:1", "GHCR.IO/acme/x:1": "ghcr.io/acme/x:1",
		"localhost:5000/x": "localhost:5000/x:latest", "node@sha256:" + digestA: "docker.io/library/node@sha256:" + digestA,
		"node:22@sha256:" + digestA: "docker.io/library/node:22@sha256:" + digestA,
		"":                          "", "Node": "", "node:": "", "a b": "", "node@sha256:12": "", "https://ghcr.io/x": "", "ghcr.io/": "", "$BASE": "",
	} {
		got, err := capability.Reference(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestMadeTexts wants what is allowed in code to be just that.
func TestMadeTexts(t *testing.T) {
	base := []capability.Rule{capability.AllowContext("backend", yamldoc.Pos{}), capability.AllowTag("ghcr.io/acme/shop:1")}
	policy := func(rules ...capability.Rule) *capability.Policy {
		p, err := capability.New("made", "generic", append(base[:2:2], rules...)...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	pos := yamldoc.Pos{}
	target := func(name string) capability.Claim {
		return made(func(b *capability.Build) { b.Target = name })
	}
	for _, tt := range []struct {
		name   string
		policy *capability.Policy
		claim  capability.Claim
		want   bool
	}{
		{"exactly", policy(capability.AllowBuild("outputs", "oci:di*", pos)), writing("oci:di*"), true},
		{"no pattern", policy(capability.AllowBuild("outputs", "oci:di*", pos)), writing("oci:dist"), false},
		{"any", policy(capability.AllowAnyBuild("syntax")), readBy("docker.io/docker/dockerfile:1"), true},
		{"any of another list", policy(capability.AllowAnyBuild("remotes")), readBy("docker.io/docker/dockerfile:1"), false},
		{"not bound", policy(), target("a"), true},
		{"bound", policy(capability.BoundBuild("targets")), target("a"), false},
		{"bound to it", policy(capability.BoundBuild("targets"), capability.AllowBuild("targets", "a", pos)), target("a"), true},
		{"bound to another", policy(capability.AllowBuild("targets", "b", pos)), target("a"), false},
		{"network", policy(capability.AllowNetwork("host", pos)), made(func(b *capability.Build) { b.Network = "host" }), true},
		{"less network", policy(capability.AllowNetwork("none", pos)), made(func(b *capability.Build) { b.Network = "default" }), false},
	} {
		if d := capability.Decide([]*capability.Policy{tt.policy}, tt.claim); d.Allowed != tt.want {
			t.Errorf("%s: %s", tt.name, d.Reason())
		}
	}
	for want, rule := range map[string]capability.Rule{
		`made: rule "x": is of the unknown list build.secret`:                   capability.AllowBuild("secret", "x", pos),
		`made: rule "any contexts": is of the unknown list build.contexts`:      capability.AllowAnyBuild("contexts"),
		`made: rule "": is empty`:                                               capability.AllowBuild("targets", "", pos),
		`made: rule "a b": is not the ID of a secret`:                           capability.AllowBuild("secrets", "a b", pos),
		`made: rule "linux/aarch64": is not a platform by its usual name`:       capability.AllowBuild("platforms", "linux/aarch64", pos),
		`made: rule "open": is not a network`:                                   capability.AllowNetwork("open", pos),
		`made: rule "no other x": is of the unknown list build.x`:               capability.BoundBuild("x"),
		`made: rule "docker/dockerfile:1": is not a full reference of an image`: capability.AllowBuild("syntax", "docker/dockerfile:1", pos),
		`made: rule "buildkit+tcp://x": is not an engine or the address of one`: capability.AllowBuild("engines", "buildkit+tcp://x", pos),
		`made: rule "https://acme.dev/../x": is not a clean URL of a source: it has .. in it, which can lead out of a repository: write it without ..`: capability.AllowBuild("remotes", "https://acme.dev/../x", pos),
		`made: rule "type=local": is not a full reference of a cache`:                                                                                  capability.AllowBuild("cache_to", "type=local", pos),
		`made: rule "dist": is not an output with a clean path`:                                                                                        capability.AllowBuild("outputs", "dist", pos),
		`made: rule "node": is not a full reference of an image`:                                                                                       capability.AllowBuild("bases", "node", pos),
		`made: rule "ghcr.io/a/b": is not a full reference of a cache`:                                                                                 capability.AllowBuild("cache_from", "ghcr.io/a/b", pos),
	} {
		if _, err := capability.New("made", "generic", rule); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestFrontendWithoutDigest wants to hear that no rule can be written.
func TestFrontendWithoutDigest(t *testing.T) {
	d := capability.Decide(nil, readBy("docker.io/docker/dockerfile:1"))
	if len(d.Missing) > 0 || !strings.Contains(d.Reason(), "docker.io/docker/dockerfile:1 has no digest, and a tag can change") {
		t.Errorf("got %s, missing %v", d.Reason(), d.Missing)
	}
}
