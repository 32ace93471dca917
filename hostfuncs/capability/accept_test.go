package capability_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
)

const openSh = "version: 1\nproviders: {generic: {exec: [[sh, -c, '*'], {command: 'node *', sha256: " + digestA + "}], net: {connect: [4000, '4000-4001']}}}\n"

// TestAccept binds an acceptance to the finding of one rule, in whichever form the
// rule is written.
func TestAccept(t *testing.T) {
	for entry, unused := range map[string]bool{
		"finding: open-arguments, provider: generic, key: exec, rule: [sh, -c, '*']":                                 false,
		"finding: open-arguments, provider: generic, key: exec, rule: sh -c *":                                       false,
		"finding: open-arguments, provider: generic, key: exec, rule: {command: node *, sha256: " + digestA + "}":    false,
		"finding: covered, provider: generic, key: net.connect, rule: 4000":                                          false,
		"finding: open-arguments, provider: generic, key: exec, rule: node *":                                        true,
		"finding: open-arguments, provider: generic, key: exec, rule: {command: node *, sha256: " + digestB + "}":    true,
		"finding: open-arguments, provider: generic, key: exec, rule: sh -c **":                                      true,
		"finding: open-arguments, provider: '*', key: exec, rule: sh -c *":                                           true,
		"finding: open-program, provider: generic, key: exec, rule: sh -c *":                                         true,
		"finding: covered, provider: generic, key: net.listen, rule: 4000":                                           true,
		"finding: covered, provider: generic, key: net.connect, rule: '4000-4001'":                                   true,
		"finding: open-arguments, provider: generic, key: env.pass, rule: sh -c *":                                   true,
		"finding: docker-socket, provider: generic, key: sockets, rule: docker":                                      true,
		"finding: host-network, provider: generic, key: build.network, rule: host":                                   true,
		"finding: never-matches, provider: other-provider-that-is-not-there, key: files.write, rule: a/*/b anything": true,
	} {
		accepted, found := 0, false
		for _, f := range explain.Check(parse(t, openSh+"accept: [{"+entry+", reason: ' so it is '}]"), nil) {
			if f.Accepted != nil {
				accepted++
				if f.Accepted.Reason != "so it is" || f.Accepted.Pos.Line != 3 {
					t.Errorf("%s: accepted at %s for %q", entry, f.Accepted.Pos, f.Accepted.Reason)
				}
			}
			found = found || f.Name == capability.UnusedAccept
		}
		if found != unused || accepted != 1 && !unused || accepted != 0 && unused {
			t.Errorf("%s: %d accepted, unused %t, want unused %t", entry, accepted, found, unused)
		}
	}
}

// TestAcceptDecidesNothing: with or without it, all is decided alike.
func TestAcceptDecidesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 14))
	for range 200 {
		text := randomRules(r).text("")
		before := parse(t, text)
		var b strings.Builder
		b.WriteString(text + "\naccept:\n  - {finding: open-program, provider: '*', key: exec, rule: '**', reason: x}\n")
		for _, f := range explain.Check(before, nil) {
			if f.Key == "env.pass" || strings.HasPrefix(f.Key, "files.") {
				b.WriteString("  - {finding: " + string(f.Name) + ", provider: '" + f.Provider + "', key: " + f.Key + ", rule: '" + f.Rule + "', reason: x}\n")
				break
			}
		}
		after := parse(t, b.String())
		for range 50 {
			c := randomClaim(r)
			want, got := capability.Decide([]*capability.Policy{before}, c), capability.Decide([]*capability.Policy{after}, c)
			if want.Allowed != got.Allowed || want.Rule != got.Rule {
				t.Fatalf("%s is decided in another way: %s, %s\n%s", c, want.Reason(), got.Reason(), b.String())
			}
		}
	}
}

// TestSeverities: each finding has a severity, and can be accepted but for the one
// that says that an acceptance is not needed.
func TestSeverities(t *testing.T) {
	for _, name := range explain.FindingNames() {
		if explain.SeverityOf(name) == "" {
			t.Errorf("%s has no severity", name)
		}
		_, err := capability.Parse("p.yml", []byte("version: 1\naccept: [{finding: "+string(name)+", provider: a, key: exec, rule: ls, reason: x}]"))
		if (err != nil) != (name == capability.UnusedAccept) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
