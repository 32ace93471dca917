package exec

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestPinnedProgram: a rule that pins a program applies to its bytes.
func TestPinnedProgram(t *testing.T) {
	p := newProject(t, map[string]string{"run.sh": "#!/bin/sh\n"})
	path := filepath.Join(p.Root, "run.sh")
	policy := "version: 1\nproviders: {test: {exec: [{command: ./run.sh, sha256: " + fileDigest(t, path) + "}]}}"
	request := abi.ExecRequest{Argv: []string{"./run.sh"}}
	hosttest.WantError(t, hosttest.Call(t, p.gate(t, policy), abi.OpExec, request), abi.CodeDenied, "none that can be read")
	p.Pins = func(*capability.Exec) bool { return true }
	hosttest.As[abi.ExecResult](t, hosttest.Call(t, p.gate(t, policy), abi.OpExec, request))
	if err := os.WriteFile(path, []byte("#!/bin/sh\n#\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	hosttest.WantError(t, hosttest.Call(t, p.gate(t, policy), abi.OpExec, request), abi.CodeDenied, "pins sha256")
}

func fileDigest(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// TestPlanOfPrograms: in a plan, a program prints the text it is watched for and
// succeeds, or in a server's run is interrupted with the run.
func TestPlanOfPrograms(t *testing.T) {
	for serves, want := range map[bool][]string{
		false: {`{"seen":{"id":1,"line":"ready"}}`, `{"exited":{"id":1,"exit_code":0}}`},
		true:  {`{"seen":{"id":1,"line":"ready"}}`, `{"interrupted":true}`, `{"exited":{"id":1,"exit_code":0,"interrupted":true}}`},
	} {
		p := newProject(t, nil)
		p.Serves = serves
		g := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = new(hostfuncs.Plan) })
		hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"touch", "made"}, Watch: []string{"ready", "failed"}})
		for _, line := range want {
			if got := hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}); string(got.OK) != line {
				t.Errorf("got %s %+v, want %s", got.OK, got.Error, line)
			}
		}
	}
}
