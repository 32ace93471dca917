package hostfuncs_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
)

// order has the operations that need one.
var order = map[string]string{abi.OpProcessStart: "1", abi.OpProcessWait: "2", abi.OpProcessStop: "3"}

// looks are the operations that a plan carries out.
var looks = map[string]bool{
	abi.OpReadFile: true, abi.OpStat: true, abi.OpList: true, abi.OpEnvStatus: true, abi.OpLog: true,
	abi.OpProcessWait: true, abi.OpProcessStop: true, abi.OpReady: true,
}

// TestPlanHasNoEffect calls all operations in a plan: those with effects return as if they
// had worked, and nothing happens, allowed or not.
func TestPlanHasNoEffect(t *testing.T) {
	for _, policy := range []string{"", hosttest.Everything} {
		p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
		p.Serves = true
		plan := new(hostfuncs.Plan)
		g := p.conducted(t, policy, func(o *hostfuncs.GateOptions) { o.Plan = plan })
		effects := 0
		operations := slices.Sorted(maps.Keys(requests))
		// A process that was not started or has ended cannot be waited for.
		slices.SortStableFunc(operations, func(a, b string) int { return strings.Compare(order[a], order[b]) })
		for _, operation := range operations {
			reply := hosttest.Call(t, g, operation, requests[operation])
			if looks[operation] {
				if (reply.Error == nil) != (policy == hosttest.Everything) {
					t.Errorf("%s: got %+v", operation, reply.Error)
				}
				continue
			}
			effects++
			if reply.Error != nil {
				t.Errorf("%s: got %+v, want a result", operation, reply.Error)
			}
			step := plan.Steps[len(plan.Steps)-1]
			if step.Operation != operation || step.Record.Decision.Allowed != (policy == hosttest.Everything) {
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

// TestPlanSays checks the content of steps: no values of variables, what is not known
// before, and failures.
func TestPlanSays(t *testing.T) {
	p := newProject(t, map[string]string{"Dockerfile": "FROM scratch", "a": "12345", "b/c": "678", ".dockerignore": "a"})
	plan := new(hostfuncs.Plan)
	g := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = plan })
	hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{
		Argv: []string{"env"}, Env: map[string]abi.Value{"A": abi.Text("secret"), "B": abi.EnvRef("HOME")}, Capture: true,
	})
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, abi.ExecRequest{Argv: []string{"no-such-program"}}), abi.CodeNotFound, "no-such-program")
	hosttest.Call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{Context: ".", Tags: []string{"shop:1"}, Push: true})
	data, err := json.Marshal(plan.Steps[0].Detail)
	if err != nil || strings.Contains(string(data), "secret") || !strings.Contains(string(data), `"name":"B","from":"HOME"`) {
		t.Errorf("%s, %v", data, err)
	}
	if len(plan.Steps[0].Unknown) != 1 || plan.Steps[1].Failure == nil || len(plan.Steps[2].Unknown) != 2 {
		t.Errorf("got %+v", plan.Steps)
	}
	// The ignore file itself and the Dockerfile are sent too.
	if b := plan.Steps[2].Detail.(*build.Step); b.Files != 3 || b.Bytes != int64(len("FROM scratch")+len("678")+len("a")) || len(b.SHA256) != 64 {
		t.Errorf("got %+v", b)
	}
}

// TestPlanned carries out a plan: unchanged, and with each kind of change.
func TestPlanned(t *testing.T) {
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
		"one more":      {[]abi.ExecRequest{first, second, second}, "the plan has only 2 steps", 0},
		"another order": {[]abi.ExecRequest{second}, "step 1 of the plan differs", 2},
		"twice":         {[]abi.ExecRequest{first, first}, "step 2 of the plan differs", 1},
		"another value": {[]abi.ExecRequest{changed}, "exec.env[0].sha256", 2},
		"another dir":   {[]abi.ExecRequest{elsewhere}, "exec.dir", 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, map[string]string{"sub/": ""})
			plan := new(hostfuncs.Plan)
			planner := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = plan })
			hosttest.Call(t, planner, abi.OpExec, first)
			hosttest.Call(t, planner, abi.OpExec, second)
			planned := &hostfuncs.Planned{Name: "plan.json"}
			for _, step := range plan.Steps {
				planned.Steps = append(planned.Steps, step.Step)
			}
			g := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Planned = planned })
			for i, request := range tt.calls {
				reply := hosttest.Call(t, g, abi.OpExec, request)
				if i < len(tt.calls)-1 || tt.denied == "" {
					hosttest.As[abi.ExecResult](t, reply)
					continue
				}
				hosttest.WantError(t, reply, abi.CodeDenied, tt.denied)
				if rec := p.Records[len(p.Records)-1]; !rec.Denied() || rec.Decision.Layer != capability.Planned {
					t.Errorf("recorded %+v", rec.Decision)
				}
			}
			if planned.Left() != tt.left {
				t.Errorf("%d steps left, want %d", planned.Left(), tt.left)
			}
		})
	}
}

// TestPlannedContext: a context that has changed since the plan is refused.
func TestPlannedContext(t *testing.T) {
	request := abi.DockerBuildRequest{Context: ".", Tags: []string{"shop:1"}}
	p := newProject(t, map[string]string{"Dockerfile": "FROM scratch", "a": "1"})
	plan := new(hostfuncs.Plan)
	hosttest.Call(t, p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Plan = plan }), abi.OpDockerBuild, request)
	if err := os.WriteFile(filepath.Join(p.Root, "a"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) {
		o.Planned = &hostfuncs.Planned{Name: "plan.json", Steps: []hostfuncs.Step{plan.Steps[0].Step}}
	})
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpDockerBuild, request), abi.CodeDenied, "build.sha256")
}

// TestPlannedGrantsNothing: policies still have to allow the steps of a plan.
func TestPlannedGrantsNothing(t *testing.T) {
	p := newProject(t, nil)
	request := abi.ExecRequest{Argv: []string{"touch", "made"}}
	plan := new(hostfuncs.Plan)
	hosttest.Call(t, p.conducted(t, "", func(o *hostfuncs.GateOptions) { o.Plan = plan }), abi.OpExec, request)
	g := p.conducted(t, "", func(o *hostfuncs.GateOptions) {
		o.Planned = &hostfuncs.Planned{Steps: []hostfuncs.Step{plan.Steps[0].Step}}
	})
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, request), abi.CodeDenied, "no policy allows it")
}

func TestExplainDoesNothing(t *testing.T) {
	p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
	g := p.gate(t, hosttest.Everything)
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
	if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil || len(p.Logged)+len(p.Records) > 0 {
		t.Error("something happened")
	}
	if _, err := g.Explain(t.Context(), "fly", nil); err == nil {
		t.Error("an unknown operation: no error")
	}
}

// refusingAuditor cannot record anything.
type refusingAuditor struct{ hosttest.Host }

func (*refusingAuditor) Decided(*hostfuncs.Record) error { return errors.New("the disk is full") }

// TestNothingWithoutRecord: an effect that cannot be recorded does not happen.
func TestNothingWithoutRecord(t *testing.T) {
	p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
	g := p.conducted(t, hosttest.Everything, func(o *hostfuncs.GateOptions) { o.Auditor = &refusingAuditor{} })
	for operation, request := range requests {
		hosttest.WantError(t, hosttest.Call(t, g, operation, request), abi.CodeFailed, "the disk is full")
	}
	if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil || len(p.Logged) > 0 {
		t.Error("something happened")
	}
}

// TestNewGateWantsConduct: each operation has to say how a plan treats it.
func TestNewGateWantsConduct(t *testing.T) {
	step := func(context.Context, nothing) (hostfuncs.Detail, error) { return nil, nil }
	preview := func(nothing) (nothing, []string, error) { return nothing{}, nil, nil }
	for name, tt := range map[string]struct {
		change func(*hostfuncs.Op[nothing, nothing, nothing])
		ok     bool
	}{
		"looks": {func(op *hostfuncs.Op[nothing, nothing, nothing]) {}, true},
		"acts": {func(op *hostfuncs.Op[nothing, nothing, nothing]) {
			op.Looks, op.Step, op.Preview = false, step, preview
		}, true},
		"says nothing":    {func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Looks = false }, false},
		"both":            {func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Step, op.Preview = step, preview }, false},
		"without Step":    {func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Looks, op.Preview = false, preview }, false},
		"without Preview": {func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Looks, op.Step = false, step }, false},
	} {
		op := wholeOp()
		tt.change(&op)
		_, err := hostfuncs.NewGate(hostfuncs.GateOptions{Provider: "p", Operations: []hostfuncs.Operation{op}, Auditor: &hosttest.Host{}})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
