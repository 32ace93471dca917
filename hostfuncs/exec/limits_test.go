package exec

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestLimits has commands that print without end, and that never end. Both ways
// to run one tell which limit it met.
func TestLimits(t *testing.T) {
	hosttest.NeedUnix(t)
	for name, tt := range map[string]struct {
		script, limit string
		code          abi.Code
		want          string
	}{
		"output":           {"yes", "output: 1KiB", abi.CodeTooLarge, "sh printed more than a policy's limits.output, which is 1024 bytes"},
		"output to errors": {"yes >&2", "output: 1KiB", abi.CodeTooLarge, "limits.output, which is 1024 bytes"},
		"time":             {"sleep 60; true", "time: 50ms", abi.CodeTimeout, "sh did not end within 50ms"},
	} {
		policy := "version: 1\nproviders: {test: {exec: ['sh **'], limits: {" + tt.limit + "}}}"
		parsed, err := capability.Parse("policy.yml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		p := newProject(t, nil)
		if p.Confinement, err = NewConfinement(ConfinementOptions{Project: p.Project, Environ: p.Environ, Limits: capability.LimitsOf([]*capability.Policy{parsed}, "test")}); err != nil {
			t.Fatal(err)
		}
		g := p.gate(t, policy)
		argv := []string{"sh", "-c", tt.script}
		t.Run(name, func(t *testing.T) {
			hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: argv}), tt.code, tt.want)
			hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: argv, Capture: true}), tt.code, tt.want)
			hosttest.Call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: argv})
			hosttest.WantError(t, hosttest.Call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}), tt.code, tt.want)
		})
	}
}

// TestWithinLimits: what a command prints and takes within its limits is its own,
// to the last byte.
func TestWithinLimits(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, nil)
	var err error
	p.Confinement, err = NewConfinement(ConfinementOptions{Project: p.Project, Environ: p.Environ, Limits: capability.Limits{Output: 4, Time: 1 << 40}})
	if err != nil {
		t.Fatal(err)
	}
	g := p.gate(t, allowShell)
	got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sh", "-c", "printf ab; printf cd >&2"}, Capture: true}))
	if got.Stdout != "ab" || got.Stderr != "cd" {
		t.Errorf("got %+v", got)
	}
}
