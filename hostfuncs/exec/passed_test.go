package exec

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestPassOn has variables that a provider asks for in each state: not set, not
// passed, passed, one of the baseline, set by the request itself, secret.
func TestPassOn(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{".env": "IN_FILE=file's\n"})
	p.Environ = append(p.Environ, "HOME=/home/u", "CACHE=/cache", "KEPT=/kept", "KEY=canary-key", "OWN=user's", "IN_FILE=user's", "EMPTY_KEY=")
	p.Asked = abi.Capabilities{EnvPass: []string{"HOME", "CACHE", "KEPT", "UNSET", "OWN", "IN_FILE"}, EnvSecret: []string{"KEY", "EMPTY_KEY", "UNSET_KEY"}}
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['sh **'], env: {pass: [CACHE, KEY, OWN, IN_FILE, EMPTY_KEY]}, files: {env: [.env]}}}")
	if got := strings.Join(p.made.Withheld(), " "); got != "KEPT" {
		t.Errorf("withheld: %s", got)
	}
	q := shell("echo $CACHE $KEPT $OWN $IN_FILE $KEY")
	q.Env, q.EnvFiles = map[string]abi.Value{"OWN": abi.Text("own")}, []string{".env"}
	if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q)); got.Stdout != "/cache own *** ***\n" {
		t.Errorf("the command got %q", got.Stdout)
	}
	var passed []string
	for _, use := range p.Records[0].Claim.Env {
		if use.Use == capability.Pass {
			passed = append(passed, use.Name)
		}
	}
	if got := strings.Join(passed, " "); got != "IN_FILE CACHE KEY EMPTY_KEY" {
		t.Errorf("claimed: %s", got)
	}
}
