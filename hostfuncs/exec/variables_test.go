package exec

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// TestEnvironmentIsTold wants of each variable of a child who gave it, which is
// the last of several.
func TestEnvironmentIsTold(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{".env": "GREETING=file's\nIN_FILE=file's\n"})
	p.Environ = append(p.Environ, "SECRET=canary", "USERS=x", "TMPDIR=/tmp")
	p.ChildEnv = []string{"GREETING=host's", "IN_FILE=host's", "USERS=x", "TMPDIR=/tmp", "TMPDIR=/tmp/run", "=C:=C:\\", "SECRET=canary"}
	g := p.gate(t, "version: 1\nproviders: {test: {exec: ['sh **'], env: {pass: ['*']}, files: {env: [.env]}}}")
	q := shell("exit 0")
	q.EnvFiles = []string{".env"}
	q.EnvBase = map[string]abi.Value{"GREETING": abi.Text("base"), "BASE": abi.Text("base")}
	q.Env = map[string]abi.Value{"COPY": abi.EnvRef("SECRET")}
	hosttest.Call(t, g, abi.OpExec, q)
	want := []hostfuncs.EnvStep{
		{Name: "BASE", By: hostfuncs.EnvProvider}, {Name: "COPY", By: hostfuncs.EnvProvider, From: "SECRET"}, {Name: "GREETING", By: hostfuncs.EnvFile, From: ".env"}, {Name: "IN_FILE", By: hostfuncs.EnvFile, From: ".env"},
		{Name: "SECRET", By: hostfuncs.EnvUser}, {Name: "TMPDIR", By: hostfuncs.EnvHost}, {Name: "USERS", By: hostfuncs.EnvUser},
	}
	if diff := cmp.Diff(want, p.Records[0].Environment); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"sh", "-c", "env"}, EnvFiles: q.EnvFiles, EnvBase: q.EnvBase, Env: q.Env, Capture: true}))
	for _, step := range want {
		if !slices.ContainsFunc(strings.Split(got.Stdout, "\n"), func(line string) bool { return strings.HasPrefix(line, step.Name+"=") }) {
			t.Errorf("%s is reported, but did not reach the command: %s", step.Name, got.Stdout)
		}
	}
	hosttest.Call(t, g, abi.OpReadFile, abi.PathRequest{Path: ".env"})
	if last := p.Records[len(p.Records)-1]; last.Environment != nil {
		t.Errorf("what runs nothing has an environment: %v", last.Environment)
	}
}
