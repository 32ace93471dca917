package capability_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

func parse(t testing.TB, text string) *capability.Policy {
	t.Helper()
	p, err := capability.Parse("policy.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shop(t testing.TB) *capability.Policy {
	t.Helper()
	data, err := os.ReadFile("testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

// command is a claim to run words, found in /usr/bin unless they begin with a
// path.
func command(words ...string) capability.Claim {
	x := &capability.Exec{Argv: words, Program: words[0], Dir: "."}
	switch inside, ok := strings.CutPrefix(words[0], "./"); {
	case ok:
		x.Program, x.ProgramInProject = "/project/"+inside, inside
	case !strings.Contains(words[0], "/"):
		x.Program = "/usr/bin/" + words[0]
	}
	return capability.Claim{Operation: "exec", Provider: "generic", Exec: x}
}

func with(c capability.Claim, uses ...capability.EnvUse) capability.Claim {
	c.Env = uses
	return c
}

func build(change func(*capability.Build)) capability.Claim {
	b := &capability.Build{Context: "backend", Dockerfile: "backend/Dockerfile", Tags: []string{"ghcr.io/acme/shop:1"}, Network: "none"}
	change(b)
	return capability.Claim{Operation: "docker_build", Provider: "generic", Build: b}
}

func read(path string) capability.Claim {
	return capability.Claim{Operation: "read_file", Provider: "generic", Files: []capability.FileUse{{Path: path, Use: capability.Read}}}
}

func write(path string) capability.Claim {
	return capability.Claim{Operation: "exec", Provider: "generic", Files: []capability.FileUse{{Path: path, Use: capability.Write}}}
}

func load(path string) capability.Claim {
	return capability.Claim{Operation: "exec", Provider: "generic", Files: []capability.FileUse{{Path: path, Use: capability.Load}}}
}

func connect(port int) capability.Claim {
	return capability.Claim{Operation: "probe", Provider: "generic", Net: []capability.NetUse{{Port: port, Use: capability.Connect}}}
}

func as(provider string, c capability.Claim) capability.Claim {
	c.Provider = provider
	return c
}

func TestDecide(t *testing.T) {
	env := func(name string, use capability.EnvKind) capability.EnvUse {
		return capability.EnvUse{Name: name, Use: use}
	}
	npm := command("npm", "run", "dev")
	policy := shop(t)
	for _, tt := range []struct {
		name  string
		claim capability.Claim
		want  string // the reason, or a part of it
	}{
		{"words", npm, `allowed by "npm run dev", policy.yml:6:11`},
		{"fewer words", command("npm", "run"), "no rule of policy.yml allows it"},
		{"more words", command("npm", "run", "dev", "--", "x"), "no rule of policy.yml allows it"},
		{"other words", command("npm", "run", "build"), "no rule of policy.yml allows it"},
		{"program by path", command("/tmp/npm", "run", "dev"), "no rule"},
		{"program in the project", command("./npm", "run", "dev"), "no rule"},
		{"part of a word", command("node", "--inspect=9229", "app.js"), `allowed by "node --inspect=* **"`},
		{"any number may be none", command("go", "test"), `allowed by "go test **"`},
		{"option where any may follow", command("go", "test", "-exec", "sh"), `allowed by "go test **"`},
		{"project file", command("./scripts/run.sh", "x"), `allowed by "./scripts/*.sh *"`},
		{"no option for a plain word", command("./scripts/run.sh", "-x"), "no rule"},
		{"pattern does not cross a slash", command("./scripts/a/run.sh", "x"), "no rule"},
		{"absolute program", command("/usr/bin/make", "all"), `allowed by "/usr/bin/make all"`},
		{"absolute program by its name", command("make", "all"), `allowed by "/usr/bin/make all"`},
		{"the same name elsewhere", command("/opt/bin/make", "all"), "no rule"},
		{"denied", command("npm", "publish"), `denied by "npm publish **", policy.yml:11:`},
		{"denied by another path", command("/opt/npm", "publish", "--tag", "x"), `denied by "npm publish **"`},
		{"denied in the project", command("./bin/npm", "publish"), `denied by "npm publish **"`},
		{"denied with an option", command("git", "-c", "core.pager=x"), `denied by "git -c **"`},
		{"denied file by its name", command("env", "npm", "run", "dev"), `denied by "/usr/bin/env **"`},
		{"denied for all providers", command("curl", "x"), `denied by "curl **"`},
		{"unnamed provider", as("other", npm), "no rule"},
		{"unnamed provider, denied for all", as("other", command("curl", "x")), `denied by "curl **"`},
		{"no words", capability.Claim{Operation: "exec", Provider: "generic", Exec: &capability.Exec{Dir: "."}}, "it names no program"},

		{"sets a variable", with(npm, env("NODE_ENV", capability.Set)), "allowed by"},
		{"sets one by a pattern", with(npm, env("APP_MODE", capability.Set)), "allowed by"},
		{"sets another", with(npm, env("OTHER", capability.Set)), "no rule of policy.yml allows it"},
		{"names are case-sensitive", with(npm, env("node_env", capability.Set)), "no rule"},
		{"sets a dangerous one", with(npm, env("LD_PRELOAD", capability.Set)), "LD_PRELOAD must be named in full, since the loader runs code that it names"},
		{"passes one", with(npm, env("NODE_ENV", capability.Pass)), "allowed by"},
		{"passes what may only be looked at", with(npm, env("DOMAIN", capability.Pass)), "no rule"},
		{"looks at one", with(npm, env("DOMAIN", capability.Look)), "allowed by"},
		{"looks at what may be passed", with(npm, env("NODE_ENV", capability.Look)), "allowed by"},
		{"looks at another", with(npm, env("HOME", capability.Look)), "no rule"},
		{"no name", with(npm, env("", capability.Set)), `"" is not the name of a variable`},
		{"a name with =", with(npm, env("APP_A=B", capability.Set)), `"APP_A=B" is not the name of a variable`},
		{"a name with NUL", with(npm, env("APP_A\x00", capability.Set)), "is not the name of a variable"},

		{"reads below", read("backend/a/b.txt"), "allowed by"},
		{"reads the directory", read("backend"), "allowed by"},
		{"reads a file", read(".env.local"), "allowed by"},
		{"reads another", read(".env"), "no rule"},
		{"reads beside", read("backend2/a"), "no rule"},
		{"writes", write("backend/dist/x"), "allowed by"},
		{"writes what is denied", write("backend/dist/keep"), `denied by "backend/dist/keep"`},
		{"writes what may be read", write("backend/src"), "no rule"},
		{"loads", load("env/dev"), `allowed by "env/*", policy.yml:`},
		{"loads what may be read", load(".env.local"), `allowed by ".env.local"`},
		{"loads what may be written", load("dist/x"), "no rule"},
		{"loads what is denied", load("env/prod"), `denied by "env/prod"`},
		{"loads another", load(".env"), "no rule"},
		{"reads what may be loaded", read("env/dev"), "no rule"},
		{"loads with a command", func() capability.Claim { c := npm; c.Files = load("env/dev").Files; return c }(), "allowed by"},
		{"loads another with a command", func() capability.Claim { c := npm; c.Files = load(".env").Files; return c }(), "no rule"},

		{"connects", connect(5432), `allowed by "5432", policy.yml:`},
		{"connects to the first of a range", connect(4000), `allowed by "4000-4010"`},
		{"connects to the last of a range", connect(4010), `allowed by "4000-4010"`},
		{"connects before a range", connect(3999), "no rule"},
		{"connects behind a range", connect(4011), "no rule"},
		{"connects to what is denied", connect(4005), `denied by "4005"`},
		{"unnamed provider connects", as("other", connect(5432)), "no rule"},

		{"builds", build(func(*capability.Build) {}), "allowed by"},
		{"another context", build(func(b *capability.Build) { b.Context = "." }), "no rule"},
		{"Dockerfile elsewhere", build(func(b *capability.Build) { b.Dockerfile = "Dockerfile" }), "no rule"},
		{"Dockerfile that may be read", build(func(b *capability.Build) { b.Dockerfile = ".env.local" }), "allowed by"},
		{"another tag", build(func(b *capability.Build) { b.Tags = []string{"ghcr.io/other/shop:1"} }), "no rule"},
		{"one tag of two", build(func(b *capability.Build) { b.Tags = append(b.Tags, "x") }), "no rule"},
		{"a deeper tag", build(func(b *capability.Build) { b.Tags = []string{"ghcr.io/acme/a/b:1"} }), "no rule"},
		{"no tag", build(func(b *capability.Build) { b.Tags = nil }), "the image has no reference"},
		{"argument", build(func(b *capability.Build) { b.Args = []string{"VERSION"} }), "allowed by"},
		{"another argument", build(func(b *capability.Build) { b.Args = []string{"VERSION", "X"} }), "no rule"},
		{"target", build(func(b *capability.Build) { b.Target = "test" }), "allowed by"},
		{"more network", build(func(b *capability.Build) { b.Network = "host" }), "no rule"},
		{"default network", build(func(b *capability.Build) { b.Network = "" }), "no rule"},
		{"unknown network", build(func(b *capability.Build) { b.Network = "mine" }), `"mine" is not a network`},
		{"push", build(func(b *capability.Build) { b.Push = true }), "no rule"},

		{"log", capability.Claim{Operation: "log", Provider: "generic", Log: true}, "allowed by policy.yml"},
		{"nothing", capability.Claim{Provider: "generic", Operation: "exec"}, "it asks for nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := capability.Decide([]*capability.Policy{policy}, tt.claim)
			if got := d.Reason(); !strings.Contains(got, tt.want) || d.Allowed != strings.HasPrefix(got, "allowed") {
				t.Errorf("%v: got %v, %q, want %q", tt.claim, d.Allowed, got, tt.want)
			}
			if d.Rule != "" && !d.Allowed && len(d.Missing) > 0 {
				t.Error("a denied claim can't be allowed by one more rule")
			}
		})
	}
}

func TestTargets(t *testing.T) {
	p := parse(t, "version: 1\nproviders: {generic: {build: {contexts: [.], tags: ['**'], targets: [prod]}}}")
	for target, want := range map[string]bool{"": true, "prod": true, "test": false} {
		c := build(func(b *capability.Build) { b.Context, b.Target, b.Network = ".", target, "" })
		if d := capability.Decide([]*capability.Policy{p}, c); d.Allowed != want {
			t.Errorf("target %q: %s", target, d.Reason())
		}
	}
}

// TestEmptyDenies has all the ways to have no policy.
func TestEmptyDenies(t *testing.T) {
	made, err := capability.New("made", "generic")
	if err != nil {
		t.Fatal(err)
	}
	claims := []capability.Claim{command("true"), read("a"), write("a"), load("a"), connect(4000), build(func(*capability.Build) {}),
		with(capability.Claim{Operation: "env_status", Provider: "generic"}, capability.EnvUse{Name: "A", Use: capability.Look})}
	for name, policies := range map[string][]*capability.Policy{
		"nil": nil, "none": {}, "nil policy": {nil}, "version alone": {parse(t, "version: 1")},
		"no rules": {parse(t, "version: 1\nproviders: {generic: {exec: [], env: {pass: []}, files: {env: []}, net: {connect: []}}}")}, "made": {made},
	} {
		for _, c := range claims {
			if d := capability.Decide(policies, c); d.Allowed || len(d.Missing) == 0 {
				t.Errorf("%s: %v: %s, missing %v", name, c, d.Reason(), d.Missing)
			}
		}
	}
}

func TestFirstRuleIsNamed(t *testing.T) {
	rules := []string{"'npm **'", "npm run **", "npm run dev", "'npm run *'"}
	for range rules {
		rules = append(rules[1:], rules[0])
		p := parse(t, "version: 1\nproviders: {generic: {exec: ["+strings.Join(rules, ", ")+"]}}")
		d := capability.Decide([]*capability.Policy{p}, command("npm", "run", "dev"))
		if want := strings.Trim(rules[0], "'"); d.Rule != want {
			t.Errorf("%v: got %q, want the first", rules, d.Rule)
		}
	}
}

// TestRuleOfCommand wants the rule for a command to be named, also if one for
// its variables is above it.
func TestRuleOfCommand(t *testing.T) {
	claim := with(command("npm", "run", "dev"), capability.EnvUse{Name: "A", Use: capability.Set})
	lacking := with(command("npm", "run", "dev"), capability.EnvUse{Name: "B", Use: capability.Set})
	for _, text := range []string{
		"version: 1\nproviders:\n  generic:\n    env: {pass: [A]}\n    exec: [npm run dev]\n",
		"version: 1\nproviders:\n  '*': {env: {pass: [A]}}\n  generic:\n    exec: [npm run dev]\n",
	} {
		policies := []*capability.Policy{parse(t, text)}
		if d := capability.Decide(policies, claim); !d.Allowed || d.Rule != "npm run dev" || d.Pos.Line != 5 {
			t.Errorf("%s: got %+v", text, d)
		}
		if d := capability.Decide(policies, lacking); d.Allowed || d.Rule != "" {
			t.Errorf("%s: got %+v", text, d)
		}
	}
}
