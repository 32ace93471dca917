package capability_test

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// TestRules has one section each, and what it allows.
func TestRules(t *testing.T) {
	env := func(name string, use capability.EnvKind) capability.Claim {
		return with(capability.Claim{Operation: "env_status", Provider: "generic"}, capability.EnvUse{Name: name, Use: use})
	}
	log := capability.Claim{Operation: "log", Provider: "generic", Log: true}
	change := func(f func(*capability.Build)) capability.Claim { return build(f) }
	plain := change(func(*capability.Build) {})
	dockerfile := func(p string) capability.Claim { return change(func(b *capability.Build) { b.Dockerfile = p }) }
	const image = "contexts: [backend, 'docker/*'], tags: ['**']"
	for _, tt := range []struct {
		name, section string
		claim         capability.Claim
		want          bool
	}{
		{"read what is denied", "files: {read: {allow: ['**'], deny: ['**/.env']}}", read("a/.env"), false},
		{"read beside what is denied", "files: {read: {allow: ['**'], deny: ['**/.env']}}", read("a/.envrc"), true},
		{"read what is denied in another case", "files: {read: {allow: ['**'], deny: ['**/.env']}}", read("a/.ENV"), false},
		{"read what is denied by a rule in another case", "files: {read: {allow: ['**'], deny: ['A/Key*']}}", read("a/keyring"), false},
		{"read what is denied, with the sign for kelvin", "files: {read: {allow: ['**'], deny: [key]}}", read("\u212aey"), false},
		{"read what is denied, letter and accent apart", "files: {read: {allow: ['**'], deny: [caf\u00e9/key]}}", read("cafe\u0301/key"), false},
		{"read what is denied, letter and accent in one", "files: {read: {allow: ['**'], deny: [cafe\u0301/*]}}", read("CAF\u00c9/key"), false},
		{"read what is denied, with marks in another order", "files: {read: {allow: ['**'], deny: [a\u0323\u0307]}}", read("a\u0307\u0323"), false},
		{"read beside what is denied, without its accent", "files: {read: {allow: ['**'], deny: [caf\u00e9]}}", read("cafe"), true},
		{"read what is allowed, letter and accent apart", "files: {read: [caf\u00e9]}", read("cafe\u0301"), false},
		{"read what is allowed in another case", "files: {read: [a]}", read("A"), false},
		{"load what is denied in another case", "files: {env: {allow: ['**'], deny: [.env]}}", load(".Env"), false},
		{"write what is denied in another case", "files: {write: {allow: ['**'], deny: [a]}}", write("A"), false},
		{"write does not read", "files: {write: ['**']}", read("a"), false},
		{"the project by **", "files: {read: ['**']}", read("."), true},
		{"the project by its name", "files: {read: [.]}", read("."), true},
		{"the project by *", "files: {read: ['*']}", read("."), false},
		{"a file by the project's name", "files: {read: [.]}", read("a"), false},
		{"** that touch", "files: {read: ['a/**/**/**']}", read("a/b/c"), true},
		{"** before the end", "files: {read: ['a/**/c']}", read("a/b/b/c"), true},
		{"** for none", "files: {read: ['a/**/c']}", read("a/c"), true},
		{"two **", "files: {read: ['**/b/**/d*']}", read("a/b/c/d.txt"), true},
		{"two ** in another order", "files: {read: ['**/b/**/d*']}", read("a/d/c/b"), false},
		{"** is whole segments", "files: {read: ['a/**/c']}", read("ab/c"), false},
		{"unclean rule", "files: {read: [./a//b/]}", read("a/b"), true},

		{"load what may not be read", "files: {read: {allow: ['**'], deny: ['**/.env']}}", load("a/.env"), false},
		{"load beside what may not be read", "files: {read: {allow: ['**'], deny: ['**/.env']}}", load("a/.envrc"), true},
		{"load what may not be read, by its rule", "files: {read: {allow: ['**'], deny: ['**/.env']}, env: [a/.env]}", load("a/.env"), true},
		{"load what is denied and may be read", "files: {read: ['**'], env: {deny: ['**/.env']}}", load("a/.env"), false},
		{"load what is denied and allowed", "files: {env: {allow: ['**'], deny: ['**/.env']}}", load("a/.env"), false},
		{"read what may not be loaded", "files: {read: ['**'], env: {deny: ['**/.env']}}", read("a/.env"), true},
		{"load does not read", "files: {env: ['**']}", read("a"), false},
		{"load does not write", "files: {env: ['**']}", write("a"), false},
		{"write does not load", "files: {write: ['**']}", load("a"), false},
		{"nor does a Dockerfile come by it", "files: {env: ['**']}, build: {" + image + "}", dockerfile("Dockerfile"), false},

		{"any port", "net: {connect: ['*']}", connect(1), true},
		{"any port but one", "net: {connect: {allow: ['*'], deny: [4000]}}", connect(4000), false},
		{"beside that one", "net: {connect: {allow: ['*'], deny: [4000]}}", connect(4001), true},
		{"port that is denied by a range", "net: {connect: {allow: [4000], deny: ['1-1024', '4000-4000']}}", connect(4000), false},
		{"port in hexadecimal", "net: {connect: [0xFA0]}", connect(4000), true},
		{"no port", "net: {connect: {deny: [4000]}}", connect(4001), false},

		{"pass what is denied", "env: {pass: {allow: ['*'], deny: ['SECRET*']}}", env("SECRET_A", capability.Pass), false},
		{"look at what may not be passed", "env: {pass: {allow: ['*'], deny: [A]}, read: [A]}", env("A", capability.Look), false},
		{"look at what is denied", "env: {pass: ['*'], read: {deny: [A]}}", env("A", capability.Look), false},
		{"pass what may not be looked at", "env: {pass: ['*'], read: {deny: [A]}}", env("A", capability.Pass), true},
		{"set a dangerous one by a pattern", "env: {pass: ['*', 'LD_*']}", env("LD_PRELOAD", capability.Set), false},
		{"pass a dangerous one by a pattern", "env: {pass: ['*', 'LD_*']}", env("LD_PRELOAD", capability.Pass), false},
		{"set a dangerous one in full", "env: {pass: [LD_PRELOAD]}", env("LD_PRELOAD", capability.Set), true},
		{"pass a dangerous one in full", "env: {pass: [LD_PRELOAD]}", env("LD_PRELOAD", capability.Pass), true},
		{"a dangerous one in another case", "env: {pass: [NPM_CONFIG_SHELL, '*']}", env("npm_config_shell", capability.Set), false},
		{"look at a dangerous one by a pattern", "env: {read: ['*']}", env("LD_PRELOAD", capability.Look), true},
		{"deny a dangerous one by a pattern", "env: {pass: {allow: [LD_PRELOAD], deny: ['LD_*']}}", env("LD_PRELOAD", capability.Set), false},
		{"a name with a blank", "env: {pass: [A B]}", env("A B", capability.Set), true},

		{"image", "build: {" + image + "}", plain, true},
		{"denied context", "build: {contexts: {allow: ['**'], deny: [backend]}, tags: ['**']}", plain, false},
		{"denied tag", "build: {contexts: [backend], tags: {allow: ['**'], deny: ['**/shop:*']}}", plain, false},
		{"denied argument", "build: {args: {allow: ['*'], deny: [A]}, " + image + "}", change(func(b *capability.Build) { b.Args = []string{"A"} }), false},
		{"argument beside it", "build: {args: {allow: ['*'], deny: [A]}, " + image + "}", change(func(b *capability.Build) { b.Args = []string{"B"} }), true},
		{"denied target", "build: {targets: {allow: ['*'], deny: [a]}, " + image + "}", change(func(b *capability.Build) { b.Target = "a" }), false},
		{"no target at all", "build: {targets: [], " + image + "}", change(func(b *capability.Build) { b.Target = "a" }), false},
		{"any target", "build: {" + image + "}", change(func(b *capability.Build) { b.Target = "a" }), true},
		{"Dockerfile in another context", "build: {" + image + "}", dockerfile("docker/a/Dockerfile"), true},
		{"Dockerfile deep in another", "build: {" + image + "}", dockerfile("docker/a/b/c/Dockerfile"), true},
		{"Dockerfile beside the contexts", "build: {" + image + "}", dockerfile("docker/Dockerfile"), false},
		{"Dockerfile in one that is denied", "build: {contexts: {allow: [backend, other], deny: [other]}, tags: ['**']}", dockerfile("other/Dockerfile"), false},
		{"default network where nothing is said", "build: {" + image + "}", change(func(b *capability.Build) { b.Network = "" }), true},
		{"host network where nothing is said", "build: {" + image + "}", change(func(b *capability.Build) { b.Network = "host" }), false},
		{"push", "build: {push: true, " + image + "}", change(func(b *capability.Build) { b.Push = true }), true},

		{"log", "", log, true},
		{"log of one unnamed", "", as("other", log), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := parse(t, "version: 1\nproviders: {generic: {"+tt.section+"}}")
			if d := capability.Decide([]*capability.Policy{p}, tt.claim); d.Allowed != tt.want {
				t.Errorf("%v: %s", tt.claim, d.Reason())
			}
		})
	}
}

// TestOwnContext wants a Dockerfile that is sent with its context to need no
// rule besides that context's.
func TestOwnContext(t *testing.T) {
	d := capability.Decide([]*capability.Policy{parse(t, "version: 1\nproviders: {generic: {}}")}, build(func(*capability.Build) {}))
	for _, g := range d.Missing {
		if g.Key == "files.read" {
			t.Errorf("%v is missing", g)
		}
	}
	if len(d.Missing) == 0 {
		t.Error("nothing is missing")
	}
}

// TestUnionOfSections has the provider's own rules and those for all.
func TestUnionOfSections(t *testing.T) {
	p := parse(t, `version: 1
providers:
  generic: {exec: [npm run], build: {network: none}}
  "*": {exec: {allow: [npm test], deny: [npm run -x]}, env: {pass: [A]}, files: {read: {allow: ["*"], deny: [b]}, env: [c]}, net: {connect: [4000]}}
  loader: {files: {read: [b], env: [d]}, net: {connect: {deny: [4000]}}}
`)
	for _, tt := range []struct {
		claim capability.Claim
		want  bool
	}{
		{command("npm", "run"), true},
		{command("npm", "test"), true},
		{as("other", command("npm", "run")), false},
		{as("other", command("npm", "test")), true},
		{as("other", capability.Claim{Operation: "log", Log: true}), true},
		{with(command("npm", "run"), capability.EnvUse{Name: "A"}), true},
		{command("npm", "run", "-x"), false},
		{load("a"), true},
		{as("loader", load("b")), false},
		{as("loader", load("c")), true},
		{as("loader", load("d")), true},
		{connect(4000), true},
		{as("loader", connect(4000)), false},
	} {
		if d := capability.Decide([]*capability.Policy{p}, tt.claim); d.Allowed != tt.want {
			t.Errorf("%v of %s: %s", tt.claim, tt.claim.Provider, d.Reason())
		}
	}
}
