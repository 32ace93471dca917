package capability_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

// TestDaemons: every policy has to name a command for it to outlive the run.
func TestDaemons(t *testing.T) {
	serve, watch := []string{"tool", "serve", "-f"}, []string{"tool", "watch"}
	names := parse(t, "version: 1\nproviders: {generic: {exec: [tool serve -f], daemons: [tool serve -f]}}")
	forAll := parse(t, "version: 1\nproviders: {'*': {daemons: [tool serve -f, [tool, watch]]}}")
	silent := parse(t, "version: 1\nproviders: {generic: {exec: ['**']}}")
	other := parse(t, "version: 1\nproviders: {other: {daemons: [tool serve -f]}}")
	asked, err := capability.New("asked", "generic", capability.AllowDaemon(serve))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		policies []*capability.Policy
		want     [][]string
	}{
		"no policy":                {nil, nil},
		"named":                    {[]*capability.Policy{names}, [][]string{serve}},
		"for all providers":        {[]*capability.Policy{forAll}, [][]string{serve, watch}},
		"not named":                {[]*capability.Policy{silent}, nil},
		"of another provider":      {[]*capability.Policy{other}, nil},
		"no policy in one's place": {[]*capability.Policy{names, nil}, nil},
		"asked for alone":          {[]*capability.Policy{asked}, [][]string{serve}},
		"asked for and named":      {[]*capability.Policy{asked, forAll}, [][]string{serve}},
		"a ceiling without it":     {[]*capability.Policy{asked, names, silent}, nil},
		"learning":                 {[]*capability.Policy{asked, capability.Open("learning")}, [][]string{serve}},
	} {
		got := capability.Daemons(tt.policies, "generic", [][]string{serve, watch})
		if !slices.EqualFunc(got, tt.want, slices.Equal) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	for _, near := range [][]string{{"tool", "serve"}, {"tool", "serve", "-f", "x"}, {"tool", "serve -f"}, {"./tool", "serve", "-f"}, {}} {
		if got := capability.Daemons([]*capability.Policy{names}, "generic", [][]string{near}); len(got) > 0 {
			t.Errorf("%q is allowed", got)
		}
	}
}

// TestDecideDaemons: a claim of a daemon is decided on beside that of its command.
func TestDecideDaemons(t *testing.T) {
	claim := capability.Claim{Operation: "exec", Provider: "generic", Exec: &capability.Exec{
		Argv: []string{"tool", "run"}, Program: "/bin/tool", Dir: ".", Daemons: [][]string{{"tool", "serve", "a b"}},
	}}
	exec := parse(t, "version: 1\nproviders: {generic: {exec: [tool run]}}")
	d := capability.Decide([]*capability.Policy{exec}, claim)
	want := []capability.Grant{{Key: "daemons", Rule: `[tool, serve, a b]`}}
	if d.Allowed || !slices.Equal(d.Missing, want) {
		t.Errorf("got %+v, want missing %v", d, want)
	}
	all := capability.Decide(nil, claim)
	if d := capability.Decide([]*capability.Policy{parse(t, explain.Snippet("generic", all.Missing))}, claim); !d.Allowed {
		t.Errorf("what is proposed denies it: %s", d.Reason())
	}
	if !strings.Contains(claim.String(), `leaving tool serve "a b"`) {
		t.Errorf("it is not shown: %s", claim)
	}
	claim.Exec.Daemons = [][]string{{"tool", "*"}}
	if d := capability.Decide([]*capability.Policy{exec}, claim); d.Allowed || len(d.Missing) > 0 {
		t.Errorf("a pattern: %+v", d)
	}
	for _, none := range [][]string{{}, {""}} {
		claim.Exec.Daemons = [][]string{none}
		if d := capability.Decide([]*capability.Policy{capability.Open("learning")}, claim); d.Allowed {
			t.Errorf("%q is allowed", none)
		}
	}
}

// TestDaemonGrant: the proposed lines grant exactly the daemon, whatever its words.
func TestDaemonGrant(t *testing.T) {
	for _, argv := range [][]string{
		{"tool", "serve"}, {"tool", "x,sh", "1000"}, {"tool", "a]", "b: c"}, {"tool", "#", "x"}, {"tool", "a\nb"}, {"tool", "a b"}, {"tool", `"`}, {"tool", "yes"}, {"tool", ""},
	} {
		grant, ok := capability.DaemonGrant(argv)
		if !ok {
			t.Errorf("%q: no rule", argv)
			continue
		}
		p := parse(t, explain.Snippet("generic", []capability.Grant{grant}))
		// Nothing else that its words could be split into.
		others := [][]string{{"tool"}, {"tool", "x"}, {"sh", "1000"}, {"tool", "a"}, {"tool", "a b", "c"}}
		if got := capability.Daemons([]*capability.Policy{p}, "generic", append(others, argv)); len(got) != 1 || !slices.Equal(got[0], argv) {
			t.Errorf("%q: the rule %s grants %q", argv, grant.Rule, got)
		}
	}
	for _, argv := range [][]string{nil, {""}, {"tool", "*"}, {"./tool"}} {
		if grant, ok := capability.DaemonGrant(argv); ok {
			t.Errorf("%q: the rule %s", argv, grant.Rule)
		}
	}
}

func TestDaemonRules(t *testing.T) {
	for rule, want := range map[string]string{
		"tool **":      "has a pattern", // not what it leaves
		"'**'":         "has a pattern",
		"'*'":          "has a pattern",
		"/bin/tool":    "names a file",
		"./tool serve": "names a file",
		"''":           "names no program",
		"{command: tool, sha256: " + strings.Repeat("1", 64) + "}": "pins a program",
		"1": "expected a command",
	} {
		_, err := capability.Parse("policy.yml", []byte("version: 1\nproviders: {generic: {daemons: ["+rule+"]}}"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", rule, err, want)
		}
	}
	if _, err := capability.New("asked", "generic", capability.AllowDaemon([]string{"tool", "*"})); err == nil {
		t.Error("a provider may ask for a pattern")
	}
}
