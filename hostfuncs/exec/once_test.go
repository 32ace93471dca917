package exec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// setter is a project whose command writes its input to the file ran.
func setter(t *testing.T, state string) *project {
	t.Helper()
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{".env": "FROM_FILE=file\n"})
	p.Provider, p.InputsDir = "test", state
	p.variables("one", "two")
	return p
}

func (p *project) variables(secret, greeting string) {
	p.Environ = []string{"PATH=" + os.Getenv("PATH"), "SECRET=" + secret, "GREETING=" + greeting}
}

func setsOnce(name, variable, script string, files ...string) abi.ExecRequest {
	q := shell("cat >>ran; echo >>ran; " + script)
	stdin := abi.EnvRef(variable, files...)
	q.Stdin, q.Once = &stdin, name
	return q
}

// ran are the inputs that were given to commands, each once.
func (p *project) ran(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(p.Root, "ran"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(data)), " ")
}

func TestOnce(t *testing.T) {
	p := setter(t, filepath.Join(t.TempDir(), "inputs"))
	runs := func(q abi.ExecRequest, want string) {
		t.Helper()
		p.ChildEnv = nil
		got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, p.gate(t, allowShell), abi.OpExec, q))
		unchanged := p.ran(t) == strings.TrimSuffix(want, " unchanged") && strings.HasSuffix(want, " unchanged")
		if got.Unchanged != unchanged || p.ran(t) != strings.TrimSuffix(want, " unchanged") {
			t.Errorf("got %+v and %q, want %q", got, p.ran(t), want)
		}
	}
	q := setsOnce("a", "SECRET", "")
	runs(q, "one")
	runs(q, "one unchanged")
	p.variables("three", "one")
	runs(q, "one three")
	runs(q, "one three unchanged")

	// A value that was set before the last one is not set any more.
	p.variables("one", "one")
	runs(q, "one three one")
	// Another name, other words and another variable with the same value are others.
	runs(setsOnce("b", "SECRET", ""), "one three one one")
	runs(setsOnce("a", "SECRET", "true"), "one three one one one")
	runs(setsOnce("a", "GREETING", "true"), "one three one one one one")
	// What fails, or ends otherwise, is not remembered, nor is what was before it.
	runs(q, "one three one one one one one")
	runs(setsOnce("a", "SECRET", "exit 1"), "one three one one one one one one")
	runs(q, "one three one one one one one one one")
	runs(q, "one three one one one one one one one unchanged")

	// Another provider has names of its own.
	p.Provider = "other"
	runs(q, "one three one one one one one one one one")
}

// TestOnceNowhere has no directory, and one that cannot be had.
func TestOnceNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for state, warned := range map[string]int{"": 0, filepath.Join(file, "inputs"): 2} {
		p := setter(t, state)
		g := p.gate(t, allowShell)
		for range 2 {
			if got := hosttest.As[abi.ExecResult](t, hosttest.Call(t, g, abi.OpExec, setsOnce("a", "SECRET", ""))); got.Unchanged {
				t.Errorf("%q: got %+v", state, got)
			}
		}
		if got := strings.Count(strings.Join(p.Logged, "\n"), "cannot remember the input of sh"); got != warned || p.ran(t) != "one one" {
			t.Errorf("%q: %q, %q", state, p.Logged, p.ran(t))
		}
	}
}

// TestOnceNeedsReference keeps a provider from trying what a value may be.
func TestOnceNeedsReference(t *testing.T) {
	p := setter(t, t.TempDir())
	g := p.gate(t, allowShell)
	guess := abi.Text("one")
	for _, stdin := range []*abi.Value{nil, &guess} {
		q := setsOnce("a", "SECRET", "")
		q.Stdin = stdin
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, q), abi.CodeInvalid, "once needs a stdin that is a reference")
	}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, setsOnce(strings.Repeat("a", abi.MaxOnce+1), "SECRET", "")), abi.CodeInvalid, "once has 4097 bytes, at most 4096 are taken")
	if p.ran(t) != "" {
		t.Error("a command ran")
	}
}

// TestOncePlanned says in a plan what would not run. A run under the plan may do
// less than it, and not more.
func TestOncePlanned(t *testing.T) {
	p := setter(t, filepath.Join(t.TempDir(), "inputs"))
	q := setsOnce("a", "SECRET", "")
	planned := func() []hostfuncs.Step {
		t.Helper()
		plan := new(hostfuncs.Plan)
		hosttest.As[abi.ExecResult](t, hosttest.Call(t, p.conducted(t, allowShell, func(o *hostfuncs.GateOptions) { o.Plan = plan }), abi.OpExec, q))
		return []hostfuncs.Step{plan.Steps[0].Step}
	}
	under := func(steps []hostfuncs.Step) abi.Reply {
		t.Helper()
		return hosttest.Call(t, p.conducted(t, allowShell, func(o *hostfuncs.GateOptions) { o.Planned = &hostfuncs.Planned{Name: "plan.json", Steps: steps} }), abi.OpExec, q)
	}
	runs := planned()
	if runs[0].Detail.(*Step).Unchanged || p.ran(t) != "" {
		t.Errorf("planned %+v, ran %q", runs[0].Detail, p.ran(t))
	}
	for _, unchanged := range []bool{false, true} {
		if got := hosttest.As[abi.ExecResult](t, under(runs)); got.Unchanged != unchanged || p.ran(t) != "one" {
			t.Errorf("under the plan: %+v, ran %q", got, p.ran(t))
		}
	}
	doesNot := planned()
	if !doesNot[0].Detail.(*Step).Unchanged {
		t.Errorf("planned %+v", doesNot[0].Detail)
	}
	hosttest.As[abi.ExecResult](t, under(doesNot))
	p.variables("another", "")
	hosttest.WantError(t, under(doesNot), abi.CodeDenied, "step 1 of the plan is not to run, and its input has changed since")
	if p.ran(t) != "one" {
		t.Errorf("ran %q", p.ran(t))
	}
}
