package capability_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestMoreLayersAllowLess wants a layer more never to allow more, and every
// layer to be needed.
func TestMoreLayersAllowLess(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	allowed := 0
	for range providertest.Rounds(1_000) {
		var policies []*capability.Policy
		for range 1 + r.IntN(3) {
			policies = append(policies, parse(t, randomRules(r).text("")))
		}
		c := randomClaim(r)
		all := capability.Decide(policies, c).Allowed
		for i, p := range policies {
			without := append(append([]*capability.Policy{}, policies[:i]...), policies[i+1:]...)
			if all && (!capability.Decide([]*capability.Policy{p}, c).Allowed || len(without) > 0 && !capability.Decide(without, c).Allowed) {
				t.Fatalf("%s is allowed by more layers than allow it", c)
			}
		}
		if all {
			allowed++
		}
		for i, said := range capability.Explain(policies, c) {
			if d := capability.Decide(policies[i:i+1], c); d.Allowed != said.Allowed || d.Reason() != said.Reason() {
				t.Fatalf("%s: a layer says %s among others, and %s alone", c, said.Reason(), d.Reason())
			}
		}
	}
	if allowed == 0 {
		t.Error("nothing was ever allowed")
	}
}

// TestOpen wants the policy that learns to allow all that a rule could, and
// nothing that none could; other layers hold.
func TestOpen(t *testing.T) {
	open := capability.Open("learning")
	c := capability.Claim{Operation: "exec", Provider: "p", Exec: &capability.Exec{Argv: []string{"npm"}, Dir: "."},
		Env: []capability.EnvUse{{Name: "LD_PRELOAD", Use: capability.Set}}}
	if d := capability.Decide([]*capability.Policy{open}, c); !d.Allowed {
		t.Error(d.Reason())
	}
	if d := capability.Decide([]*capability.Policy{open, parse(t, "version: 1")}, c); d.Allowed {
		t.Error(d.Reason())
	}
	c.Exec.Dir = "../x"
	if d := capability.Decide([]*capability.Policy{open}, c); d.Allowed {
		t.Error(d.Reason())
	}
}

func TestNothing(t *testing.T) {
	c := capability.Claim{Operation: "log", Provider: "p", Log: true}
	d := capability.Decide([]*capability.Policy{capability.Nothing()}, c)
	if d.Allowed || d.Reason() != "no policy allows it" || len(d.Missing) != 1 {
		t.Errorf("got %+v", d)
	}
}

func TestWeigh(t *testing.T) {
	allowed := capability.Said(capability.Planned, "plan", "step 1", "")
	denied := capability.Said(capability.Planned, "plan", "step 1", "it is another one")
	if !capability.Weigh([]capability.Decision{allowed}).Allowed || capability.Weigh(nil).Allowed {
		t.Error("what counts is not what was said")
	}
	if d := capability.Weigh([]capability.Decision{allowed, denied}); d.Allowed || d.Reason() != "plan: it is another one" {
		t.Errorf("got %+v, %s", d, d.Reason())
	}
}

// TestClaimJSON wants a claim to be the same after a way through JSON.
func TestClaimJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range providertest.Rounds(2_000) {
		c := randomClaim(r)
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := capability.ParseClaim(data)
		if err != nil || back.String() != c.String() {
			t.Fatalf("%s became %s, %v", c, back, err)
		}
		if again, _ := json.Marshal(back); string(again) != string(data) {
			t.Fatalf("%s became %s", data, again)
		}
		for _, policies := range [][]*capability.Policy{nil, {parse(t, randomRules(r).text(""))}} {
			if a, b := capability.Decide(policies, c), capability.Decide(policies, back); !reflect.DeepEqual(a, b) {
				t.Fatalf("%s is decided in two ways: %+v, %+v", data, a, b)
			}
		}
	}
	for _, text := range []string{"", "null x", `{"operation":"exec","more":1}`, `{"env":[{"name":"A","use":"steal"}]}`, `{"files":[{"path":"a","use":1}]}`,
		`{"net":[{"port":1,"use":"listen"}]}`, `{"net":[{"port":"1","use":"connect"}]}`} {
		if c, err := capability.ParseClaim([]byte(text)); err == nil {
			t.Errorf("%s is read as %s", text, c)
		}
	}
	for _, use := range []any{capability.EnvUse{Name: "A", Use: 9}, capability.FileUse{Use: 9}, capability.NetUse{Port: 1, Use: 1}} {
		if data, err := json.Marshal(use); err == nil {
			t.Errorf("an unknown use is written: %s", data)
		}
	}
	c := load("a")
	c.Net = connect(4000).Net
	want := `{"operation":"exec","provider":"generic","files":[{"path":"a","use":"load"}],"net":[{"port":4000,"use":"connect"}]}`
	if data, err := json.Marshal(c); err != nil || string(data) != want {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
}

// TestImagesAndOwn wants images to be looked for under the rules of tags, a
// pattern for looking to allow no build, and what was started to be seen to by
// whoever is named at all.
func TestImagesAndOwn(t *testing.T) {
	look := capability.Claim{Operation: "docker_image", Provider: "generic", Image: "ghcr.io/acme/shop:1"}
	own := capability.Claim{Operation: "process_wait", Provider: "generic", Own: true}
	build := capability.Claim{Operation: "docker_build", Provider: "generic", Build: &capability.Build{
		Context: ".", Dockerfile: "Dockerfile", Tags: []string{"ghcr.io/acme/shop:1"},
	}}
	images, err := capability.New("asked", "generic", capability.AllowImage("**"), capability.AllowContext(".", yamldoc.Pos{}))
	if err != nil {
		t.Fatal(err)
	}
	tags := parse(t, "version: 1\nproviders: {generic: {build: {tags: ['ghcr.io/acme/*']}}}")
	denies := parse(t, "version: 1\nproviders: {generic: {build: {tags: {allow: ['**'], deny: ['ghcr.io/**']}}}}")
	other := parse(t, "version: 1\nproviders: {other: {build: {tags: ['**']}}}")
	for _, tt := range []struct {
		name   string
		policy *capability.Policy
		claim  capability.Claim
		want   bool
	}{
		{"a tag", tags, look, true}, {"a tag that is denied", denies, look, false}, {"another's", other, look, false}, {"none", nil, look, false},
		{"a pattern for looking", images, look, true}, {"and no more", images, build, false},
		{"own", tags, own, true}, {"own of another", other, own, false}, {"own of none", nil, own, false},
	} {
		if got := capability.Decide([]*capability.Policy{tt.policy}, tt.claim); got.Allowed != tt.want {
			t.Errorf("%s: %s", tt.name, got.Reason())
		}
	}
	if got := capability.Decide(nil, look).Missing; len(got) != 1 || got[0] != (capability.Grant{Key: "build.tags", Rule: `"ghcr.io/acme/shop:1"`}) {
		t.Errorf("missing %v", got)
	}
}
