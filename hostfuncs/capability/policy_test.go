package capability_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
)

func TestMadePolicy(t *testing.T) {
	argv := []string{"sh", "-c", "echo *"}
	p, err := capability.New("the configuration", "generic",
		capability.AllowArgv(argv, "backend", yamldoc.Pos{File: "s.yml", Line: 3, Column: 4}),
		capability.AllowEnv("NODE_OPTIONS", yamldoc.Pos{}), capability.InheritEnv())
	if err != nil {
		t.Fatal(err)
	}
	claim := func(dir string, words ...string) capability.Claim {
		c := command(words...)
		c.Exec.Dir = dir
		return with(c, capability.EnvUse{Name: "NODE_OPTIONS", Use: capability.Set})
	}
	for name, tt := range map[string]struct {
		claim capability.Claim
		want  bool
	}{
		"exactly":              {claim("backend", argv...), true},
		"another directory":    {claim(".", argv...), false},
		"a * is not a pattern": {claim("backend", "sh", "-c", "echo x"), false},
		"one word more":        {claim("backend", "sh", "-c", "echo *", "x"), false},
		"another's provider":   {as("other", claim("backend", argv...)), false},
	} {
		if d := capability.Decide([]*capability.Policy{p}, tt.claim); d.Allowed != tt.want {
			t.Errorf("%s: %s", name, d.Reason())
		}
	}
}

// TestMadeArgv: a policy allows what it was made of, and to any directory where
// none was given.
func TestMadeArgv(t *testing.T) {
	argv := []string{"npm", "run"}
	p, err := capability.New("made", "generic", capability.AllowArgv(argv, "", yamldoc.Pos{}))
	if err != nil {
		t.Fatal(err)
	}
	argv[1] = "publish"
	c := command("npm", "run")
	c.Exec.Dir = "a/b"
	if d := capability.Decide([]*capability.Policy{p}, c); !d.Allowed {
		t.Error(d.Reason())
	}
	if d := capability.Decide([]*capability.Policy{p}, command("npm", "publish")); d.Allowed {
		t.Error("the policy changed with its caller's words")
	}
}

func TestMadeBuild(t *testing.T) {
	p, err := capability.New("made", "generic", capability.AllowContext("back*", yamldoc.Pos{}), capability.AllowTag("shop/*"),
		capability.AllowRead("docker/*", yamldoc.Pos{}), capability.AllowPush())
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*capability.Build)
		want   bool
	}{
		"exactly":                  {func(*capability.Build) {}, true},
		"context is not a pattern": {func(b *capability.Build) { b.Context = "backend" }, false},
		"tag is not a pattern":     {func(b *capability.Build) { b.Tags = []string{"shop/x"} }, false},
		"a file is one":            {func(b *capability.Build) { b.Dockerfile = "docker/other" }, true},
		"one that is elsewhere":    {func(b *capability.Build) { b.Dockerfile = "Dockerfile" }, false},
		"an argument was not made": {func(b *capability.Build) { b.Args = []string{"A"} }, false},
	} {
		c := build(func(b *capability.Build) {
			b.Context, b.Dockerfile, b.Tags, b.Push = "back*", "docker/x", []string{"shop/*"}, true
			tt.change(b)
		})
		if d := capability.Decide([]*capability.Policy{p}, c); d.Allowed != tt.want {
			t.Errorf("%s: %s", name, d.Reason())
		}
	}
}

// TestMadeLoad wants the rules of code for dotenv files and ports to allow
// what they name, and nothing else.
func TestMadeLoad(t *testing.T) {
	p, err := capability.New("made", "generic", capability.AllowLoad("env/*", yamldoc.Pos{}), capability.AllowConnect(4000, yamldoc.Pos{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		claim capability.Claim
		want  bool
	}{
		{load("env/dev"), true}, {load(".env"), false}, {read("env/dev"), false}, {connect(4000), true}, {connect(4001), false},
	} {
		if d := capability.Decide([]*capability.Policy{p}, tt.claim); d.Allowed != tt.want {
			t.Errorf("%s: %s", tt.claim, d.Reason())
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		rule capability.Rule
		want string
	}{
		{capability.Rule{Text: "x"}, `made: rule "x": was not made by a function of this package`},
		{capability.AllowContext("../x", yamldoc.Pos{}), `made: rule "../x": is not a clean path in the project`},
		{capability.AllowRead("/x", yamldoc.Pos{}), `made: rule "/x": begins with /`},
		{capability.AllowLoad("../x", yamldoc.Pos{}), `made: rule "../x": has .. in it`},
		{capability.AllowConnect(0, yamldoc.Pos{}), `made: rule "0": is not a port or a range of ports`},
		{capability.AllowConnect(-1, yamldoc.Pos{}), `made: rule "-1": is not a port or a range of ports`},
		{capability.AllowConnect(65536, yamldoc.Pos{}), `made: rule "65536": is out of range: the last port is 65535`},
		{capability.AllowEnv("", yamldoc.Pos{}), `made: rule "": is not a name`},
		{capability.AllowTag(""), `made: rule "": is empty`},
	} {
		if _, err := capability.New("made", "generic", tt.rule); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// TestLayers wants the same layer to decide whichever way they come.
func TestLayers(t *testing.T) {
	parsed := func(name, text string) *capability.Policy {
		p, err := capability.Parse(name, []byte("version: 1\nproviders: {generic: {"+text+"}}"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	allows, misses := parsed("b.yml", "exec: [npm run]"), parsed("c.yml", "exec: [npm test]")
	denies, same := parsed("d.yml", "exec: {deny: [npm run]}"), parsed("c.yml", "exec: [npm build], env: {pass: [A]}")
	claim := with(command("npm", "run"), capability.EnvUse{Name: "A"})
	for name, tt := range map[string]struct {
		policies []*capability.Policy
		layer    string
		missing  int
	}{
		"a deny before what is missing":   {[]*capability.Policy{allows, misses, denies}, "d.yml", 0},
		"the first name of those lacking": {[]*capability.Policy{misses, allows}, "b.yml", 1},
		"two of one name":                 {[]*capability.Policy{misses, same}, "c.yml", -1},
	} {
		d := capability.Decide(tt.policies, claim)
		if d.Policy != tt.layer || (tt.missing >= 0 && len(d.Missing) != tt.missing) {
			t.Errorf("%s: %s says %s, missing %v", name, d.Policy, d.Reason(), d.Missing)
		}
		slices.Reverse(tt.policies)
		if e := capability.Decide(tt.policies, claim); e.Policy != d.Policy || !slices.Equal(e.Missing, d.Missing) {
			t.Errorf("%s: the other way round, %s misses %v and not %v", name, e.Policy, e.Missing, d.Missing)
		}
	}
}
