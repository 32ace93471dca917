package values

import (
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

func TestEnvStatus(t *testing.T) {
	p := hosttest.New(t, nil)
	p.Environ = []string{"FULL=first", "FULL=x", "EMPTY=", "HIDDEN=x"}
	env := New(Options{Project: files.NewProject(p.Root), Environ: p.Environ, Log: p.Log, Warn: p.Warn})
	g := hosttest.NewGate(t, p.GateOptions(t, "version: 1\nproviders: {test: {env: {read: [FULL, EMPTY, NONE]}}}", env.Operations()...))
	got := hosttest.As[abi.EnvStatusResult](t, hosttest.Call(t, g, abi.OpEnvStatus, abi.EnvStatusRequest{Names: []string{"FULL", "EMPTY", "NONE"}}))
	if got.States["FULL"] != abi.EnvSet || got.States["EMPTY"] != abi.EnvEmpty || got.States["NONE"] != abi.EnvMissing {
		t.Errorf("got %v", got.States)
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpEnvStatus, abi.EnvStatusRequest{Names: []string{"FULL", "HIDDEN"}}), abi.CodeDenied, "HIDDEN")
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpEnvStatus, abi.EnvStatusRequest{}), abi.CodeInvalid, "names is empty")
}
