package hostfuncs_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/build"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/exec"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/log"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// project is a project with all operations.
type project struct {
	*hosttest.Host
	Serves bool
	Pins   func(*capability.Exec) bool
}

func newProject(t testing.TB, list map[string]string) *project {
	t.Helper()
	return &project{Host: hosttest.New(t, list)}
}

func (p *project) gate(t testing.TB, policy string) *hostfuncs.Gate {
	t.Helper()
	return p.conducted(t, policy, func(*hostfuncs.GateOptions) {})
}

// conducted returns a gate with changed options.
func (p *project) conducted(t testing.TB, policy string, change func(*hostfuncs.GateOptions)) *hostfuncs.Gate {
	t.Helper()
	mask, root := new(redact.Set), files.NewProject(p.Root)
	env := values.New(values.Options{Project: root, Environ: p.Environ, Mask: mask, Log: p.Log, Warn: p.Warn})
	runner := exec.NewRunner(exec.Options{
		Project: root, Env: env, ChildEnv: capability.PassedEnv(hosttest.Policies(t, policy), "test", p.Environ), Grace: hosttest.Hangs,
		Stdout: new(strings.Builder), Stderr: new(strings.Builder), Mask: mask, Warn: p.Warn, Serves: p.Serves, Pins: p.Pins,
		Tell: p.Log, Ready: func([]abi.ReadyProcess, string) { p.Log(abi.LevelInfo, "ready") }, Ends: func() {},
	})
	t.Cleanup(runner.Close)
	images := build.New(build.Config{
		Project: root, Env: env, Mask: mask, Log: p.Log, Warn: p.Warn,
		Options: build.Options{Engine: build.Engine{Kind: build.Docker}, Mode: "plain", Progress: new(strings.Builder)},
	})
	opts := p.GateOptions(t, policy, slices.Concat(runner.Operations(), images.Operations(), root.Operations(), env.Operations(), []hostfuncs.Operation{log.Operation(p.Log)})...)
	opts.Mask = mask
	change(&opts)
	return hosttest.NewGate(t, opts)
}

// requests has a request for every operation that would work.
var requests = map[string]any{
	abi.OpExec:         abi.ExecRequest{Argv: []string{"touch", "made"}},
	abi.OpDockerBuild:  abi.DockerBuildRequest{Context: ".", Tags: []string{"shop:1"}},
	abi.OpReadFile:     abi.PathRequest{Path: "file"},
	abi.OpStat:         abi.StatRequest{Path: "file"},
	abi.OpList:         abi.PathRequest{Path: "."},
	abi.OpEnvStatus:    abi.EnvStatusRequest{Names: []string{"HOME"}},
	abi.OpLog:          abi.LogRequest{Level: abi.LevelInfo, Message: "hello"},
	abi.OpDockerImage:  abi.DockerImageRequest{Image: "shop:1"},
	abi.OpProcessStart: abi.ProcessStartRequest{Argv: []string{"touch", "made"}},
	abi.OpProcessWait:  abi.ProcessWaitRequest{},
	abi.OpProcessStop:  abi.ProcessStopRequest{ID: 1},
	abi.OpReady:        abi.ReadyRequest{Processes: []abi.ReadyProcess{{Name: "web"}}},
	abi.OpProbe:        abi.ProbeRequest{Address: "127.0.0.1:4"},
	abi.OpWatch:        abi.WatchRequest{Paths: []string{"**"}},
}

// TestEveryOperationIsGuarded calls all operations under a policy that allows nothing:
// each is denied, and nothing happens.
func TestEveryOperationIsGuarded(t *testing.T) {
	for _, policy := range []string{"", "version: 1", "version: 1\nproviders: {other: {exec: ['**'], files: {read: ['**']}}}"} {
		p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
		g := p.gate(t, policy)
		if got := g.Operations(); !slices.Equal(got, abi.Operations()) {
			t.Fatalf("got operations %v, the ABI has %v", got, abi.Operations())
		}
		for _, operation := range g.Operations() {
			request, ok := requests[operation]
			if !ok {
				t.Fatalf("add a request for %s to this test", operation)
			}
			hosttest.WantError(t, hosttest.Call(t, g, operation, request), abi.CodeDenied, "")
			rec := p.Records[len(p.Records)-1]
			if !rec.Denied() || rec.Result != nil {
				t.Errorf("%s: recorded %+v", operation, rec)
			}
		}
		if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil || len(p.Logged) > 0 {
			t.Error("something happened")
		}
	}
}

// TestDenialSaysHow expects the rule that would allow a call in the provider's error.
func TestDenialSaysHow(t *testing.T) {
	p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
	g := p.gate(t, "")
	for operation, request := range requests {
		reply := hosttest.Call(t, g, operation, request)
		_, policy, ok := strings.Cut(reply.Error.Hint, "stagecraft.policy.yml:\n")
		if !ok {
			t.Errorf("%s: no hint in %q", operation, reply.Error.Hint)
			continue
		}
		switch operation {
		case abi.OpDockerBuild, abi.OpDockerImage, abi.OpProcessWait, abi.OpProcessStop:
			// These would look for an engine or for a started process.
			continue
		}
		if reply := hosttest.Call(t, p.gate(t, policy), operation, request); reply.Error != nil {
			t.Errorf("%s: still %s with\n%s", operation, reply.Error.Message, policy)
		}
	}
}

// TestMissingIsReportedAfterTheDecision: denials do not reveal what exists.
func TestMissingIsReportedAfterTheDecision(t *testing.T) {
	p := newProject(t, map[string]string{"file": ""})
	g := p.gate(t, "")
	for operation, pair := range map[string][2]any{
		abi.OpReadFile: {abi.PathRequest{Path: "file"}, abi.PathRequest{Path: "none"}},
		abi.OpStat:     {abi.StatRequest{Path: "file"}, abi.StatRequest{Path: "none"}},
		abi.OpWatch:    {abi.WatchRequest{Paths: []string{"file"}}, abi.WatchRequest{Paths: []string{"none"}}},
		abi.OpExec:     {abi.ExecRequest{Argv: []string{"sh"}}, abi.ExecRequest{Argv: []string{"no-such-program"}}},
		abi.OpDockerBuild: {
			abi.DockerBuildRequest{Context: ".", Tags: []string{"a"}},
			abi.DockerBuildRequest{Context: "none", Tags: []string{"a"}},
		},
	} {
		for _, request := range pair {
			hosttest.WantError(t, hosttest.Call(t, g, operation, request), abi.CodeDenied, "")
		}
	}
}

type nothing struct{}

func wholeOp() hostfuncs.Op[nothing, nothing, nothing] {
	return hostfuncs.Op[nothing, nothing, nothing]{
		Name:    abi.OpLog,
		Resolve: func(context.Context, nothing) (nothing, error) { return nothing{}, nil },
		Claim:   func(nothing) capability.Claim { return capability.Claim{Log: true} },
		Do:      func(context.Context, nothing) (nothing, error) { return nothing{}, nil },
		Looks:   true,
	}
}

func TestNewGateRefusesParts(t *testing.T) {
	for name, remove := range map[string]func(*hostfuncs.Op[nothing, nothing, nothing]){
		"Name":    func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Name = "" },
		"Resolve": func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Resolve = nil },
		"Claim":   func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Claim = nil },
		"Do":      func(op *hostfuncs.Op[nothing, nothing, nothing]) { op.Do = nil },
	} {
		op := wholeOp()
		remove(&op)
		if _, err := hostfuncs.NewGate(hostfuncs.GateOptions{Provider: "p", Operations: []hostfuncs.Operation{op}, Auditor: &hosttest.Host{}}); err == nil {
			t.Errorf("no error without %s", name)
		}
	}
}

func TestNewGateRefuses(t *testing.T) {
	op := wholeOp()
	for name, try := range map[string]func() (*hostfuncs.Gate, error){
		"twice": func() (*hostfuncs.Gate, error) {
			return hostfuncs.NewGate(hostfuncs.GateOptions{Provider: "p", Operations: []hostfuncs.Operation{op, op}, Auditor: &hosttest.Host{}})
		},
		"no auditor": func() (*hostfuncs.Gate, error) {
			return hostfuncs.NewGate(hostfuncs.GateOptions{Provider: "p", Operations: []hostfuncs.Operation{op}})
		},
	} {
		if _, err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPanicsStayInside has an operation that panics in each of its parts.
func TestPanicsStayInside(t *testing.T) {
	policy, err := capability.New("made", "p")
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*hostfuncs.Op[nothing, nothing, nothing]){
		"Resolve": func(op *hostfuncs.Op[nothing, nothing, nothing]) {
			op.Resolve = func(context.Context, nothing) (nothing, error) { panic("oh") }
		},
		"Claim": func(op *hostfuncs.Op[nothing, nothing, nothing]) {
			op.Claim = func(nothing) capability.Claim { panic("oh") }
		},
		"Do": func(op *hostfuncs.Op[nothing, nothing, nothing]) {
			op.Do = func(context.Context, nothing) (nothing, error) { panic("oh") }
		},
	} {
		op := wholeOp()
		spoil(&op)
		g, err := hostfuncs.NewGate(hostfuncs.GateOptions{Provider: "p", Policies: []*capability.Policy{policy}, Operations: []hostfuncs.Operation{op}, Auditor: &hosttest.Host{}})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpLog, nothing{}), abi.CodeFailed, "the host failed")
	}
}

func TestRequestsAreStrict(t *testing.T) {
	g := newProject(t, nil).gate(t, "")
	for name, request := range map[string]string{
		"no JSON":       `{`,
		"empty":         ``,
		"unknown field": `{"argv": ["true"], "shell": true}`,
		"more after it": `{"argv": ["true"]} {}`,
		"wrong type":    `{"argv": "true"}`,
		"no reference":  `{"argv": ["true"], "stdin": {"file": "x"}}`,
		"too large":     `{"argv": ["` + strings.Repeat("x", abi.MaxRequest) + `"]}`,
	} {
		t.Log(name)
		hosttest.WantError(t, hosttest.Call(t, g, abi.OpExec, []byte(request)), abi.CodeInvalid, "exec: invalid request")
	}
	hosttest.WantError(t, hosttest.Call(t, g, "format_disk", nothing{}), abi.CodeInvalid, `unknown operation "format_disk"`)
}

func TestOrderOfDecideAndDo(t *testing.T) {
	var order []string
	op := wholeOp()
	op.Do = func(context.Context, nothing) (nothing, error) {
		order = append(order, "do")
		return nothing{}, nil
	}
	policy, err := capability.New("made", "p")
	if err != nil {
		t.Fatal(err)
	}
	g, err := hostfuncs.NewGate(hostfuncs.GateOptions{Provider: "p", Policies: []*capability.Policy{policy}, Operations: []hostfuncs.Operation{op}, Auditor: &orderAuditor{&order}})
	if err != nil {
		t.Fatal(err)
	}
	hosttest.Call(t, g, abi.OpLog, nothing{})
	if want := []string{"decided", "do", "done"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}

type orderAuditor struct{ order *[]string }

func (a *orderAuditor) Decided(*hostfuncs.Record) error {
	*a.order = append(*a.order, "decided")
	return nil
}

func (a *orderAuditor) Done(*hostfuncs.Record) { *a.order = append(*a.order, "done") }

// FuzzGateCall expects a reply of the ABI for any bytes, under a policy that allows no
// effects.
func FuzzGateCall(f *testing.F) {
	for operation, request := range requests {
		data, err := json.Marshal(request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(operation, data)
	}
	f.Add("exec", []byte(`{"argv":["sh","-c","x"],"env":{"A":{"env":"B"}},"stdin":"x","capture":true,"timeout_ms":5}`))
	f.Add("list", []byte(`{"path":"../.."}`))
	f.Add("", []byte("null"))
	p := newProject(f, map[string]string{"file": "x", "dir/file": "y"})
	g := p.gate(f, "version: 1\nproviders: {test: {files: {read: ['**']}, env: {read: ['*']}}}")
	f.Fuzz(func(t *testing.T, operation string, request []byte) {
		hosttest.Reply(t, g.Call(t.Context(), operation, request))
		p.Records, p.Logged = nil, nil
	})
}
