package exec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestHidden wants words, numbers and hosts of a dotenv file to be printed as they
// are, and all else to be masked.
func TestHidden(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{
		".env":   "NODE_ENV=development\nHOST=localhost\nPORT=4000\nURL=http://localhost:4000\nDB_PASSWORD=postgres\nOTHER=${DEPLOY_TOKEN}/x\nNAMED=local\nS=ab\nEMPTY=\nT=cd\n",
		"other/": "", "other/.env": "U=ef\nNODE_ENV=staging\n",
	})
	p.Environ = append(p.Environ, "DEPLOY_TOKEN=hush-hush")
	g := p.gate(t, loads)
	const print = "echo $NODE_ENV $HOST $PORT $URL; echo $DB_PASSWORD $OTHER hush-hush, $NAMED $S"
	q := abi.ExecRequest{Argv: []string{"sh", "-c", print}, EnvFiles: []string{".env"}}
	hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q))
	want := "development localhost 4000 http://localhost:4000\n*** *** ***, local ab\n"
	if got := p.Stdout.(*strings.Builder).String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// A variable named like a secret is one, whatever its value. Nothing is reported twice.
	q.Env = map[string]abi.Value{"X": abi.EnvRef("NAMED", ".env")}
	q.EnvFiles = append(q.EnvFiles, "other/.env")
	q.Argv[2] = "echo $X"
	hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, q))
	if got := p.Stdout.(*strings.Builder).String(); got != want+"***\n" {
		t.Errorf("got %q", got)
	}
	wantLog := []string{
		"debug: masked from now on: DEPLOY_TOKEN, DB_PASSWORD, OTHER",
		"debug: not masked: HOST (a common word), NAMED (a common word), NODE_ENV (a common word), PORT (a number), URL (the URL of a host)",
		"warned: the values of S, T are too short to be masked: they can be seen in what is printed and recorded",
		"debug: masked from now on: NAMED",
		"debug: too short to be masked: U",
	}
	if diff := cmp.Diff(wantLog, p.Logged); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
