package capability_test

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// everything allows whatever a rule can allow.
const everything = `version: 1
providers:
  generic:
    exec: [npm, "**"]
    env: {pass: ["*"], read: ["*"]}
    files: {read: ["**"], env: ["**"], write: ["**"]}
    build: {contexts: ["**"], tags: ["**"], args: ["*"], targets: ["*"], bases: ["**"], remotes: ["**"], platforms: ["*"], secrets: ["*"],
      cache_from: ["**"], cache_to: ["**"], outputs: ["**", "/**", "C:/**"], layouts: ["**", "/**", "C:/**"], engines: [docker, buildkit, embedded, "docker+tcp://*", "docker+ssh://*", "buildkit+tcp://*", "buildkit+ssh://*"], network: host, push: true}
    net: {connect: ["*"]}
  "*": {}
`

// TestFault has claims that no rule can allow: were one of the checks left
// out, some rule of everything would.
func TestFault(t *testing.T) {
	p := parse(t, everything)
	change := func(c capability.Claim, f func(*capability.Claim)) capability.Claim {
		f(&c)
		return c
	}
	npm := func(f func(*capability.Claim)) capability.Claim { return change(command("npm"), f) }
	for _, tt := range []struct {
		name  string
		claim capability.Claim
		want  string // "" when it is allowed
	}{
		{"nothing wrong", npm(func(*capability.Claim) {}), ""},
		{"no operation", npm(func(c *capability.Claim) { c.Operation = "" }), `"" is not an operation`},
		{"unknown operation", npm(func(c *capability.Claim) { c.Operation = "Exec" }), `"Exec" is not an operation`},
		{"no provider", npm(func(c *capability.Claim) { c.Provider = "" }), `"" is not a provider`},
		{"all providers", npm(func(c *capability.Claim) { c.Provider = "*" }), `"*" is not a provider`},
		{"nothing", npm(func(c *capability.Claim) { c.Exec = nil }), "it asks for nothing"},
		{"no words", npm(func(c *capability.Claim) { c.Exec.Argv = nil }), "it names no program"},
		{"empty program", npm(func(c *capability.Claim) { c.Exec.Argv = []string{"", "x"} }), "it names no program"},
		{"directory outside", npm(func(c *capability.Claim) { c.Exec.Dir = "../x" }), `"../x" is not a clean path`},
		{"no directory", npm(func(c *capability.Claim) { c.Exec.Dir = "" }), `"" is not a clean path`},
		{"program in the project that isn't", npm(func(c *capability.Claim) { c.Exec.ProgramInProject = "../npm" }), `"../npm" is not a clean path`},
		{"path that climbs", read("backend/../secret"), "is not a clean path"},
		{"path outside", read("../secret"), "is not a clean path"},
		{"absolute path", read("/etc/passwd"), "is not a clean path"},
		{"empty path", write(""), "is not a clean path"},
		{"no UTF-8", read("a\xff"), "is not a clean path"},
		{"the project", read("."), ""},
		{"unknown use of a file", change(read("a"), func(c *capability.Claim) { c.Files[0].Use = 9 }), "its use is unknown"},
		{"negative use of a file", change(read("a"), func(c *capability.Claim) { c.Files[0].Use = -1 }), "its use is unknown"},
		{"file to load", load("a"), ""},
		{"file to load outside", load("../a"), "is not a clean path"},
		{"first port", connect(1), ""},
		{"last port", connect(65535), ""},
		{"port 0", connect(0), "0 is not a port, or its use is unknown"},
		{"negative port", connect(-1), "-1 is not a port"},
		{"port that is too high", connect(65536), "65536 is not a port"},
		{"unknown use of a port", change(connect(1), func(c *capability.Claim) { c.Net[0].Use = 1 }), "its use is unknown"},
		{"negative use of a port", change(connect(1), func(c *capability.Claim) { c.Net[0].Use = -1 }), "its use is unknown"},
		{"second port", change(connect(1), func(c *capability.Claim) { c.Net = append(c.Net, capability.NetUse{}) }), "0 is not a port"},
		{"start of a process", npm(func(c *capability.Claim) { c.Operation = "process_start" }), ""},
		{"wait for a process", npm(func(c *capability.Claim) { c.Operation = "process_wait" }), ""},
		{"end of a process", npm(func(c *capability.Claim) { c.Operation = "process_stop" }), ""},
		{"unknown use of a variable", with(command("npm"), capability.EnvUse{Name: "A", Use: 3}), "its use is unknown"},
		{"negative use of a variable", with(command("npm"), capability.EnvUse{Name: "A", Use: -1}), "its use is unknown"},
		{"name that is no UTF-8", with(command("npm"), capability.EnvUse{Name: "\xff"}), "is not the name of a variable"},
		{"build", made(func(*capability.Build) {}), ""},
		{"context outside", build(func(b *capability.Build) { b.Context = ".." }), "is not a clean path"},
		{"Dockerfile outside", build(func(b *capability.Build) { b.Context, b.Dockerfile = ".", "../Dockerfile" }), "is not a clean path"},
		{"empty tag", build(func(b *capability.Build) { b.Tags = append(b.Tags, "") }), "the image has no reference, or an empty one"},
		{"argument with =", build(func(b *capability.Build) { b.Args = []string{"A=b"} }), "is not the name of an argument"},
		{"unknown network", build(func(b *capability.Build) { b.Network = "container:x" }), "is not a network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := capability.Decide([]*capability.Policy{p}, tt.claim)
			if d.Allowed != (tt.want == "") || !strings.Contains(d.Reason(), tt.want) {
				t.Errorf("got %s, want %q", d.Reason(), tt.want)
			}
			if tt.want != "" && len(d.Missing) > 0 {
				t.Errorf("%v would not allow it", d.Missing)
			}
		})
	}
}

func TestClaimString(t *testing.T) {
	npm := with(command("npm", "run", "a b"), capability.EnvUse{Name: "X"})
	npm.Exec.Dir = "backend"
	loading := with(command("npm"), capability.EnvUse{Name: "X"}, capability.EnvUse{Name: "Y"})
	loading.Files = []capability.FileUse{{Path: ".env.local", Use: capability.Load}, {Path: "a b", Use: capability.Load}}
	for _, tt := range []struct {
		claim capability.Claim
		want  string
	}{
		{load(".env.local"), "exec with the variables of .env.local"},
		{loading, `exec npm (/usr/bin/npm) with X, Y and the variables of .env.local, "a b"`},
		{connect(4000), "probe port 4000"},
		{npm, `exec npm run "a b" (/usr/bin/npm) in backend with X`},
		{build(func(b *capability.Build) { b.Push = true }), "docker_build backend as ghcr.io/acme/shop:1 and push it"},
		{made(func(b *capability.Build) {
			b.Bases, b.Platforms, b.Secrets, b.Syntax = []string{"a:1", "b:1"}, []string{"linux/arm64"}, []string{"npm"}, "d:1"
			b.Remotes, b.CacheFrom, b.CacheTo = []string{"https://x/y"}, []string{"c:1"}, []string{"c:2"}
			b.Outputs, b.EngineAddress, b.Push = []string{"oci:di st"}, "tcp://x:1", true
			b.Layouts = []string{"oci:v"}
		}), "docker_build backend as ghcr.io/acme/shop:1 for linux/arm64 on a:1, b:1 from oci:v read by d:1 with https://x/y with the secrets npm with the cache c:1" +
			` at tcp://x:1 and push it and its cache to c:2 and write it to "oci:di st"`},
		{read("a\x1b[2J\u202e"), `read_file "a\x1b[2J\u202e"`},
		{build(func(b *capability.Build) { b.Context, b.Tags = "a b", []string{"x\n"} }), `docker_build "a b" as "x\n"`},
		{with(capability.Claim{Operation: "env_status"}, capability.EnvUse{Name: "A\rB"}, capability.EnvUse{}), `env_status with "A\rB", ""`},
		{capability.Claim{Operation: "exec", Exec: &capability.Exec{Program: "/x", Dir: "."}}, "exec "},
	} {
		if got := tt.claim.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
