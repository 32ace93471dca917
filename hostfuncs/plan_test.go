package hostfuncs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

const everything = `
version: 1
providers:
  test:
    exec: ["**"]
    env: {pass: ["*"], read: ["*"]}
    files: {read: ["**"]}
    build: {contexts: ["**"], tags: ["**"], args: ["*"], push: true}
    net: {connect: ["*"]}
`

// conducted is the gate with other conduct than to do what is allowed.
func (p *project) conducted(t *testing.T, policy string, change func(*GateOptions)) *Gate {
	t.Helper()
	opts := p.gate(t, policy).opts
	change(&opts)
	g, err := NewGate(opts)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// order is that of operations which need one.
var order = map[string]string{abi.OpProcessStart: "1", abi.OpProcessWait: "2", abi.OpProcessStop: "3"}

// TestPlanHasNoEffect walks over all operations: those that do more than look
// are answered as if they had worked, and nothing happens, allowed or not.
func TestPlanHasNoEffect(t *testing.T) {
	for _, policy := range []string{"", everything} {
		p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
		p.Serves = true
		plan := new(Plan)
		g := p.conducted(t, policy, func(o *GateOptions) { o.Plan = plan })
		effects := 0
		operations := slices.Sorted(maps.Keys(requests))
		// What was not started can't be waited for, and what was ended neither.
		slices.SortStableFunc(operations, func(a, b string) int { return strings.Compare(order[a], order[b]) })
		for _, operation := range operations {
			reply := call(t, g, operation, requests[operation])
			if g.ops[operation].looks {
				if (reply.Error == nil) != (policy == everything) {
					t.Errorf("%s: answered %+v", operation, reply.Error)
				}
				continue
			}
			effects++
			if reply.Error != nil {
				t.Errorf("%s: answered %+v, not as if it had worked", operation, reply.Error)
			}
			step := plan.Steps[len(plan.Steps)-1]
			if step.Operation != operation || step.Record.Decision.Allowed != (policy == everything) {
				t.Errorf("planned %+v", step)
			}
		}
		if len(plan.Steps) != effects || effects == 0 {
			t.Errorf("%d steps of %d effects", len(plan.Steps), effects)
		}
		if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil {
			t.Error("something happened")
		}
	}
}

// TestPlanSays wants what a step tells: no value of a variable, what is not
// known, and what can't work.
func TestPlanSays(t *testing.T) {
	p := newProject(t, map[string]string{"Dockerfile": "FROM scratch", "a": "12345", "b/c": "678", ".dockerignore": "a"})
	plan := new(Plan)
	g := p.conducted(t, everything, func(o *GateOptions) { o.Plan = plan })
	call(t, g, abi.OpExec, abi.ExecRequest{
		Argv: []string{"env"}, Env: map[string]abi.Value{"A": abi.Text("secret"), "B": abi.EnvRef("HOME")}, Capture: true,
	})
	wantError(t, call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"no-such-program"}}), abi.CodeNotFound, "no-such-program")
	call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{Context: ".", Tags: []string{"shop:1"}, Push: true})
	data, err := json.Marshal(plan.Steps[0].Step)
	if err != nil || strings.Contains(string(data), "secret") || !strings.Contains(string(data), `"name":"B","from":"HOME"`) {
		t.Errorf("%s, %v", data, err)
	}
	if len(plan.Steps[0].Unknown) != 1 || plan.Steps[1].Failure == nil || len(plan.Steps[2].Unknown) != 2 {
		t.Errorf("got %+v", plan.Steps)
	}
	// The ignore file itself and the Dockerfile are sent too.
	if b := plan.Steps[2].Build; b.Files != 3 || b.Bytes != int64(len("FROM scratch")+len("678")+len("a")) || len(b.SHA256) != 64 {
		t.Errorf("got %+v", b)
	}
}

// TestHeldToPlan plays a plan again: as it was, and with each kind of change.
func TestHeldToPlan(t *testing.T) {
	first := abi.ExecRequest{Argv: []string{"touch", "one"}, Env: map[string]abi.Value{"A": abi.Text("x")}}
	second := abi.ExecRequest{Argv: []string{"touch", "two"}}
	changed := first
	changed.Env = map[string]abi.Value{"A": abi.Text("y")}
	elsewhere := first
	elsewhere.Dir = "sub"
	for name, tt := range map[string]struct {
		calls  []abi.ExecRequest
		denied string // what the last is denied for, empty if it is not
		left   int
	}{
		"as planned":    {[]abi.ExecRequest{first, second}, "", 0},
		"one too few":   {[]abi.ExecRequest{first}, "", 1},
		"one more":      {[]abi.ExecRequest{first, second, second}, "the plan has 2 steps", 0},
		"another order": {[]abi.ExecRequest{second}, "step 1 of the plan is another one", 2},
		"twice":         {[]abi.ExecRequest{first, first}, "step 2 of the plan is another one", 1},
		"another value": {[]abi.ExecRequest{changed}, "exec.env[0].sha256", 2},
		"another dir":   {[]abi.ExecRequest{elsewhere}, "exec.dir", 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, map[string]string{"sub/": ""})
			plan := new(Plan)
			planner := p.conducted(t, everything, func(o *GateOptions) { o.Plan = plan })
			call(t, planner, abi.OpExec, first)
			call(t, planner, abi.OpExec, second)
			held := &Held{Name: "plan.json"}
			for _, step := range plan.Steps {
				held.Steps = append(held.Steps, step.Step)
			}
			g := p.conducted(t, everything, func(o *GateOptions) { o.Held = held })
			for i, request := range tt.calls {
				reply := call(t, g, abi.OpExec, request)
				if i < len(tt.calls)-1 || tt.denied == "" {
					as[abi.ExecResult](t, reply)
					continue
				}
				wantError(t, reply, abi.CodeDenied, tt.denied)
				if rec := p.records[len(p.records)-1]; !rec.Denied() || rec.Decision.Layer != capability.Planned {
					t.Errorf("recorded %+v", rec.Decision)
				}
			}
			if held.Left() != tt.left {
				t.Errorf("%d steps left, want %d", held.Left(), tt.left)
			}
		})
	}
}

// TestHeldContext wants a context that has changed since the plan to be refused.
func TestHeldContext(t *testing.T) {
	request := abi.DockerBuildRequest{Context: ".", Tags: []string{"shop:1"}}
	p := newProject(t, map[string]string{"Dockerfile": "FROM scratch", "a": "1"})
	plan := new(Plan)
	call(t, p.conducted(t, everything, func(o *GateOptions) { o.Plan = plan }), abi.OpDockerBuild, request)
	if err := os.WriteFile(filepath.Join(p.Root, "a"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := p.conducted(t, everything, func(o *GateOptions) { o.Held = &Held{Name: "plan.json", Steps: []Step{plan.Steps[0].Step}} })
	wantError(t, call(t, g, abi.OpDockerBuild, request), abi.CodeDenied, "build.sha256")
}

// TestHeldAllowsNothingMore wants a plan to be no grant.
func TestHeldAllowsNothingMore(t *testing.T) {
	p := newProject(t, nil)
	request := abi.ExecRequest{Argv: []string{"touch", "made"}}
	plan := new(Plan)
	call(t, p.conducted(t, "", func(o *GateOptions) { o.Plan = plan }), abi.OpExec, request)
	g := p.conducted(t, "", func(o *GateOptions) { o.Held = &Held{Steps: []Step{plan.Steps[0].Step}} })
	wantError(t, call(t, g, abi.OpExec, request), abi.CodeDenied, "no policy allows it")
}

func TestExplainDoesNothing(t *testing.T) {
	p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
	g := p.gate(t, everything)
	for operation, request := range requests {
		data, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := g.Explain(t.Context(), operation, data)
		if err != nil || !rec.Decision.Allowed || len(rec.Layers) != 1 {
			t.Errorf("%s: %+v, %v", operation, rec, err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil || len(p.logged)+len(p.records) > 0 {
		t.Error("something happened")
	}
	if _, err := g.Explain(t.Context(), "fly", nil); err == nil {
		t.Error("explained an operation that there isn't")
	}
}

// refusingAuditor can't note anything.
type refusingAuditor struct{ project }

func (*refusingAuditor) Decided(*Record) error { return errors.New("the disk is full") }

// TestNothingWithoutRecord wants no effect that could not be noted.
func TestNothingWithoutRecord(t *testing.T) {
	p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
	g := p.conducted(t, everything, func(o *GateOptions) { o.Auditor = &refusingAuditor{} })
	for operation, request := range requests {
		wantError(t, call(t, g, operation, request), abi.CodeFailed, "the disk is full")
	}
	if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil || len(p.logged) > 0 {
		t.Error("something happened")
	}
}

// TestBindWantsConduct wants each operation to say what a plan makes of it.
func TestBindWantsConduct(t *testing.T) {
	step := func(context.Context, nothing) (Step, error) { return Step{}, nil }
	foretell := func(nothing) (nothing, []string, error) { return nothing{}, nil, nil }
	for name, tt := range map[string]struct {
		change func(*Op[nothing, nothing, nothing])
		ok     bool
	}{
		"looks":            {func(op *Op[nothing, nothing, nothing]) {}, true},
		"acts":             {func(op *Op[nothing, nothing, nothing]) { op.Looks, op.Step, op.Foretell = false, step, foretell }, true},
		"says nothing":     {func(op *Op[nothing, nothing, nothing]) { op.Looks = false }, false},
		"both":             {func(op *Op[nothing, nothing, nothing]) { op.Step, op.Foretell = step, foretell }, false},
		"without Step":     {func(op *Op[nothing, nothing, nothing]) { op.Looks, op.Foretell = false, foretell }, false},
		"without Foretell": {func(op *Op[nothing, nothing, nothing]) { op.Looks, op.Step = false, step }, false},
	} {
		op := wholeOp()
		tt.change(&op)
		if _, err := Bind(op); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPinnedProgram wants a rule that pins a program to hold for its bytes.
func TestPinnedProgram(t *testing.T) {
	p := newProject(t, map[string]string{"run.sh": "#!/bin/sh\n"})
	path := filepath.Join(p.Root, "run.sh")
	policy := "version: 1\nproviders: {test: {exec: [{command: ./run.sh, sha256: " + fileDigest(t, path) + "}]}}"
	request := abi.ExecRequest{Argv: []string{"./run.sh"}}
	wantError(t, call(t, p.gate(t, policy), abi.OpExec, request), abi.CodeDenied, "none that can be read")
	p.Pins = func(*capability.Exec) bool { return true }
	as[abi.ExecResult](t, call(t, p.gate(t, policy), abi.OpExec, request))
	if err := os.WriteFile(path, []byte("#!/bin/sh\n#\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	wantError(t, call(t, p.gate(t, policy), abi.OpExec, request), abi.CodeDenied, "pins sha256")
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

// TestPlanOfPrograms has a program say what it is watched for, and end: well, or
// in a server's run when that is asked to end.
func TestPlanOfPrograms(t *testing.T) {
	for serves, want := range map[bool][]string{
		false: {`{"seen":{"id":1,"line":"ready"}}`, `{"exited":{"id":1,"exit_code":0}}`},
		true:  {`{"seen":{"id":1,"line":"ready"}}`, `{"interrupted":true}`, `{"exited":{"id":1,"exit_code":0,"interrupted":true}}`},
	} {
		p := newProject(t, nil)
		p.Serves = serves
		g := p.conducted(t, everything, func(o *GateOptions) { o.Plan = new(Plan) })
		call(t, g, abi.OpProcessStart, abi.ProcessStartRequest{Argv: []string{"touch", "made"}, Watch: []string{"ready", "failed"}})
		for _, line := range want {
			if got := call(t, g, abi.OpProcessWait, abi.ProcessWaitRequest{}); string(got.OK) != line {
				t.Errorf("got %s %+v, want %s", got.OK, got.Error, line)
			}
		}
	}
}
