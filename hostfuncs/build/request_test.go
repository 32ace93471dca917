package build

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/asks"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func noEngine(t *testing.T) connect {
	return func(context.Context, Engine) (builder, error) {
		t.Error("an engine was looked for")
		return nil, errors.New("none")
	}
}

func TestBuildFieldsRefused(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch"})
	g := buildGate(t, p, "version: 1\nproviders: {test: {build: {contexts: ['**'], tags: ['**']}}}", noEngine(t))
	secret := abi.EnvRef("A")
	for name, tt := range map[string]struct {
		change func(*abi.DockerBuildRequest)
		field  string
		want   string
	}{
		"label without a name":    {func(q *abi.DockerBuildRequest) { q.Labels = map[string]string{"": "x"} }, "labels", `"" is not a valid label`},
		"label of two lines":      {func(q *abi.DockerBuildRequest) { q.Labels = map[string]string{"a\nb": "x"} }, "labels", `"a\nb" is not a valid label`},
		"label with =":            {func(q *abi.DockerBuildRequest) { q.Labels = map[string]string{"a=b": "x"} }, "labels", "is not a valid label"},
		"label with NUL":          {func(q *abi.DockerBuildRequest) { q.Labels = map[string]string{"a": "\x00"} }, "labels", "is not a valid label"},
		"platform":                {func(q *abi.DockerBuildRequest) { q.Platforms = []string{"linux/amd64", "a b/c"} }, "platforms", `"a b/c" is not a platform`},
		"system alone":            {func(q *abi.DockerBuildRequest) { q.Platforms = []string{"linux"} }, "platforms", `"linux" is not a platform`},
		"version of a system":     {func(q *abi.DockerBuildRequest) { q.Platforms = []string{"windows(10.0.17763)/amd64"} }, "platforms", "is not a platform"},
		"ID of a secret":          {func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"a,b": secret} }, "secrets", `"a,b" is not a secret ID`},
		"secret without an ID":    {func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"": secret} }, "secrets", `"" is not a secret ID`},
		"secret in plain text":    {func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"a": abi.Text("x")} }, "secrets", "the value of a is plain text"},
		"secret's file outside":   {func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"a": abi.EnvRef("A", "../.env")} }, "secrets", "leaves the project directory"},
		"cache that is none":      {func(q *abi.DockerBuildRequest) { q.CacheFrom = []string{"No"} }, "cache_from", `"No" is not a reference`},
		"cache in a directory":    {func(q *abi.DockerBuildRequest) { q.CacheTo = []string{"type=local,ref=x"} }, "cache_to", "is not a cache in a registry"},
		"cache without a type":    {func(q *abi.DockerBuildRequest) { q.CacheTo = []string{"ref=x"} }, "cache_to", "is not a cache in a registry"},
		"cache with a directory":  {func(q *abi.DockerBuildRequest) { q.CacheTo = []string{"type=registry,ref=x,dest=/etc"} }, "cache_to", `unknown or duplicate field "dest=/etc"`},
		"two references":          {func(q *abi.DockerBuildRequest) { q.CacheTo = []string{"type=registry,ref=x,ref=y"} }, "cache_to", `unknown or duplicate field "ref=y"`},
		"mode of what is fetched": {func(q *abi.DockerBuildRequest) { q.CacheFrom = []string{"type=registry,ref=x,mode=max"} }, "cache_from", `unknown or duplicate field "mode=max"`},
		"unknown mode":            {func(q *abi.DockerBuildRequest) { q.CacheTo = []string{"type=registry,ref=x,mode=most"} }, "cache_to", `unknown or duplicate field "mode=most"`},
	} {
		t.Run(name, func(t *testing.T) {
			q := abi.DockerBuildRequest{Context: "app", Tags: []string{"a"}}
			tt.change(&q)
			reply := hosttest.Call(t, g, abi.OpDockerBuild, q)
			if hosttest.WantError(t, reply, abi.CodeInvalid, tt.want); reply.Error.Field != tt.field {
				t.Errorf("it is of the field %q", reply.Error.Field)
			}
		})
	}
}

// full is a request with all fields.
var full = abi.DockerBuildRequest{
	Context: "app", Tags: []string{"shop:1"}, Labels: map[string]string{"b": "2", "a": "1"}, Platforms: []string{"linux/aarch64", "linux/arm64/v8", "linux/arm"},
	Secrets:   map[string]abi.Value{"npm": abi.EnvRef("NPM_TOKEN", ".env"), "aws": abi.EnvRef("AWS")},
	CacheFrom: []string{"acme/c", "type=registry,ref=docker.io/acme/c:latest"}, CacheTo: []string{"ref=ghcr.io/acme/c:1,type=registry,mode=max"},
}

// TestBuildFieldsClaimed wants each field to be claimed as it would be used, and
// to be in the plan.
func TestBuildFieldsClaimed(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch", ".env": "NPM_TOKEN=secret\nX=${HOME}\n"})
	p.Environ = []string{"HOME=/root", "AWS=key"}
	plan, err := p.images().resolve(t.Context(), full)
	if err != nil {
		t.Fatal(err)
	}
	got := plan.claim()
	want := capability.Claim{
		Build: &capability.Build{
			Context: "app", Dockerfile: "app/Dockerfile", Tags: []string{"shop:1"}, Platforms: []string{"linux/arm64", "linux/arm/v7"}, Secrets: []string{"aws", "npm"},
			CacheFrom: []string{"docker.io/acme/c:latest"}, CacheTo: []string{"ghcr.io/acme/c:1"}, Engine: "docker",
		},
		Env: []capability.EnvUse{
			{Name: "AWS", Use: capability.Pass}, {Name: "HOME", Use: capability.Pass, From: ".env"}, {Name: "NPM_TOKEN", Use: capability.Pass},
		},
		Files: []capability.FileUse{{Path: ".env", Use: capability.Load}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	step, err := p.images().step(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(step)
	const text = `{"context":"app","dockerfile":"app/Dockerfile","tags":["shop:1"],` +
		`"labels":[{"name":"a","sha256":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"},{"name":"b","sha256":"d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"}],` +
		`"platforms":["linux/arm64","linux/arm/v7"],"secrets":[{"name":"aws","from":"AWS"},{"name":"npm","from":"NPM_TOKEN"}],` +
		`"cache_from":["docker.io/acme/c:latest"],"cache_to":["ghcr.io/acme/c:1,mode=max"],"files":1,"bytes":12,"sha256":"b5bf980e6cf43f84ae6c1919b8edb17c2392ea4666faf3fa93957ab31dc42d3e"}`
	if string(data) != text || err != nil {
		t.Errorf("got %s, %v", data, err)
	}
}

// TestBuildUsesClaimed wants all that the Dockerfile takes in, and what the user
// says of where the image goes, to be decided on.
func TestBuildUsesClaimed(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	p := newProject(t, map[string]string{"app/Dockerfile": "ARG V=22\nFROM node:$V AS a\nRUN --network=host --security=insecure x\n" +
		"FROM scratch\nADD https://acme.dev/x /\nCOPY --from=a / /\nCOPY --from=ghcr.io/acme/y@" + digest + " / /\n"})
	p.Builds.Engine = Engine{Kind: BuildKit, Address: "tcp://b.acme.dev:1"}
	p.Builds.Outputs, p.Builds.Load = []Output{{Layout: true, Path: "/out"}}, true
	p.Builds.Tags, p.Builds.Platforms = []string{"shop:2"}, []string{"linux/aarch64"}
	plan, err := p.images().resolve(t.Context(), abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}, Args: map[string]string{"V": "20"}})
	if err != nil || plan.missing != nil {
		t.Fatal(err, plan.missing)
	}
	want := &capability.Build{
		Context: "app", Dockerfile: "app/Dockerfile", Tags: []string{"shop:1", "shop:2"}, Args: []string{"V"}, Network: "host",
		Engine: "buildkit", EngineAddress: "tcp://b.acme.dev:1", Platforms: []string{"linux/arm64"},
		Bases: []string{"docker.io/library/node:20", "ghcr.io/acme/y@" + digest}, Remotes: []string{"https://acme.dev/x"},
		Outputs: []string{"oci:/out"}, Load: true, Insecure: true,
	}
	if diff := cmp.Diff(want, plan.claim().Build); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestEpochIsAnArgument wants the user's SOURCE_DATE_EPOCH to be put in where a
// Dockerfile has it, and to need no rule.
func TestEpochIsAnArgument(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "ARG SOURCE_DATE_EPOCH=1\nFROM base:$SOURCE_DATE_EPOCH\n"})
	p.Builds.Epoch = "5"
	for _, args := range []map[string]string{nil, {"SOURCE_DATE_EPOCH": "3"}} {
		plan, err := p.images().resolve(t.Context(), abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}, Args: args})
		if err != nil || plan.missing != nil {
			t.Fatal(err, plan.missing)
		}
		claim := plan.claim().Build
		if want := []string{"docker.io/library/base:5"}; !slices.Equal(claim.Bases, want) || len(claim.Args) != len(args) {
			t.Errorf("%v: claimed %v with %v, want %v", args, claim.Bases, claim.Args, want)
		}
		if got := plan.image().Args["SOURCE_DATE_EPOCH"]; got != "5" {
			t.Errorf("%v: built with %q", args, got)
		}
	}
}

// TestAskedBuild wants exactly what the configuration must be allowed, and the
// user's own choices.
func TestAskedBuild(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch", ".env": "NPM_TOKEN=secret\nX=${HOME}\n"})
	p.Environ = []string{"HOME=/root"}
	ask := abi.BuildAsk{
		ContextFrom: []string{"/context"}, TargetFrom: "/target", PlatformsFrom: "/platforms", ArgsFrom: "/args", SecretsFrom: "/secrets", NetworkFrom: "/network",
		CacheImportFrom: "/cache_from", CacheExportFrom: "/cache_to",
	}
	policy := func(ask abi.BuildAsk, config string) *capability.Policy {
		asked, err := asks.New(abi.Capabilities{Build: []abi.BuildAsk{ask}}, json.RawMessage(config), func(string) yamldoc.Pos { return yamldoc.Pos{} })
		if err != nil {
			t.Fatal(err)
		}
		policy, err := capability.New("the configuration", "test", p.images().AskedRules(asked, "shop:1")...)
		if err != nil {
			t.Fatal(err)
		}
		policy.Layer = capability.Asked
		return policy
	}
	all := policy(ask, `{"context":"app","target":"release","platforms":["linux/aarch64","no platform"],"args":{"V":"1"},
		"secrets":{"npm":{"env":"NPM_TOKEN","files":[".env"]},"no,ID":{"env":"OTHER"},"plain":"text"},"network":"host","cache_from":["acme/c","No"],
		"cache_to":["type=registry,ref=ghcr.io/acme/c,mode=max"]}`)
	none, odd := policy(ask, `{"context":"app"}`), policy(ask, `{"context":"app","network":"mine"}`)
	free := policy(abi.BuildAsk{ContextFrom: []string{"/context"}}, `{"context":"app"}`)
	for _, tt := range []struct {
		name   string
		policy *capability.Policy
		change func(*abi.DockerBuildRequest)
		want   bool
	}{
		{"nothing", none, func(*abi.DockerBuildRequest) {}, true},
		{"the target", all, func(q *abi.DockerBuildRequest) { q.Target = "release" }, true},
		{"another target", all, func(q *abi.DockerBuildRequest) { q.Target = "test" }, false},
		{"a target of none", none, func(q *abi.DockerBuildRequest) { q.Target = "test" }, false},
		{"a target of who may build any", free, func(q *abi.DockerBuildRequest) { q.Target = "test" }, true},
		{"the platform", all, func(q *abi.DockerBuildRequest) { q.Platforms = []string{"linux/arm64"} }, true},
		{"another platform", all, func(q *abi.DockerBuildRequest) { q.Platforms = []string{"linux/amd64"} }, false},
		{"a platform of none", none, func(q *abi.DockerBuildRequest) { q.Platforms = []string{"linux/amd64"} }, false},
		{"a platform of who may build any", free, func(q *abi.DockerBuildRequest) { q.Platforms = []string{"linux/amd64"} }, true},
		{"the argument", all, func(q *abi.DockerBuildRequest) { q.Args = map[string]string{"V": "2"} }, true},
		{"another argument", all, func(q *abi.DockerBuildRequest) { q.Args = map[string]string{"W": "2"} }, false},
		{"the secret", all, func(q *abi.DockerBuildRequest) {
			q.Secrets = map[string]abi.Value{"npm": abi.EnvRef("NPM_TOKEN", ".env")}
		}, true},
		{"another variable", all, func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"npm": abi.EnvRef("OTHER")} }, false},
		{"another ID", all, func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"aws": abi.EnvRef("NPM_TOKEN")} }, false},
		{"a secret of none", none, func(q *abi.DockerBuildRequest) { q.Secrets = map[string]abi.Value{"npm": abi.EnvRef("NPM_TOKEN")} }, false},
		{"the network", all, func(q *abi.DockerBuildRequest) { q.Network = "host" }, true},
		{"more network", none, func(q *abi.DockerBuildRequest) { q.Network = "host" }, false},
		{"more than an unknown network", odd, func(q *abi.DockerBuildRequest) { q.Network = "host" }, false},
		{"the cache", all, func(q *abi.DockerBuildRequest) { q.CacheFrom = []string{"acme/c:latest"} }, true},
		{"another cache", all, func(q *abi.DockerBuildRequest) { q.CacheFrom = []string{"acme/d"} }, false},
		{"the cache to", all, func(q *abi.DockerBuildRequest) { q.CacheTo = []string{"ghcr.io/acme/c"} }, true},
		{"from there", all, func(q *abi.DockerBuildRequest) { q.CacheFrom = []string{"ghcr.io/acme/c"} }, false},
	} {
		q := abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}}
		tt.change(&q)
		plan, err := p.images().resolve(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		c := plan.claim()
		c.Operation, c.Provider = abi.OpDockerBuild, "test"
		if d := capability.Decide([]*capability.Policy{tt.policy}, c); d.Allowed != tt.want {
			t.Errorf("%s: %s", tt.name, d.Reason())
		}
	}
	c := capability.Claim{Operation: abi.OpDockerBuild, Provider: "test", Build: &capability.Build{
		Context: "app", Dockerfile: "app/Dockerfile", Tags: []string{"shop:1"}, Engine: "buildkit", EngineAddress: "tcp://acme.dev:1",
		Bases: []string{"docker.io/library/node:22"}, Syntax: "docker.io/docker/dockerfile:1", Remotes: []string{"https://acme.dev/x"}, Outputs: []string{"oci:/tmp/x"},
	}}
	if d := capability.Decide([]*capability.Policy{none}, c); !d.Allowed {
		t.Errorf("what the user chose: %s", d.Reason())
	}
}

func TestPlatformName(t *testing.T) {
	for text, want := range map[string]string{
		"linux/amd64": "linux/amd64", "linux/x86_64": "linux/amd64", "Linux/ARM64/v8": "linux/arm64", "linux/armhf": "linux/arm/v7", "windows/amd64": "windows/amd64",
		"macos/arm64": "darwin/arm64", "": "", "amd64": "", "linux/*": "", "linux/a/b/c": "", "/": "",
	} {
		got, err := ParsePlatform(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	// Any name that comes of it is one that a claim can have.
	for _, text := range []string{"linux/386", "linux/i386", "linux/arm/5", "linux/arm64/v9.0", "linux/amd64/v1", "linux/amd64/v3", "linux/armel", "freebsd/riscv64"} {
		got, err := ParsePlatform(text)
		if err != nil {
			t.Fatal(err)
		}
		c := capability.Claim{Operation: abi.OpDockerBuild, Provider: "test", Build: &capability.Build{
			Context: ".", Dockerfile: "Dockerfile", Tags: []string{"a"}, Platforms: []string{got},
		}}
		if d := capability.Decide(nil, c); !slices.ContainsFunc(d.Missing, func(g capability.Grant) bool { return g.Key == "build.platforms" }) {
			t.Errorf("%s as %s: %s", text, got, d.Reason())
		}
	}
}
