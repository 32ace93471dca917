package hostfuncs

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
)

// project is a world to act on, and what came of it.
type project struct {
	*World
	logged  []string
	records []Record
}

func (p *project) Decided(*Record) error { return nil }
func (p *project) Done(r *Record)        { p.records = append(p.records, *r) }

// hangs is a limit for what would otherwise never end, below that of all tests,
// so that what hangs is said. Nothing that works comes near it on any machine.
const hangs = 50 * time.Minute

// newProject makes a project directory with these files, which can be executed; a
// name that ends in / is a directory.
func newProject(t testing.TB, files map[string]string) *project {
	t.Helper()
	root := imagetest.Dir(t)
	imagetest.Write(t, root, files)
	for name := range files {
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.Chmod(filepath.Join(root, filepath.FromSlash(name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := &project{}
	p.World = &World{
		Root: root, Environ: os.Environ(), Grace: hangs,
		Stdout: new(strings.Builder), Stderr: new(strings.Builder), Builds: BuildOptions{Engine: Engine{Kind: EngineDocker}, Mode: "plain", Progress: new(strings.Builder)},
		Mask: new(redact.Set), Warn: func(err error) { p.logged = append(p.logged, "warned: "+err.Error()) },
		Log: func(level abi.Level, message string) { p.logged = append(p.logged, string(level)+": "+message) },
	}
	return p
}

func (p *project) gate(t testing.TB, policy string) *Gate {
	t.Helper()
	var policies []*capability.Policy
	if policy != "" {
		parsed, err := capability.Parse("policy.yml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, parsed)
	}
	if p.ChildEnv == nil {
		p.ChildEnv = capability.PassedEnv(policies, "test", p.Environ)
	}
	ops, err := p.Operations()
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGate(GateOptions{Provider: "test", Policies: policies, Operations: ops, Auditor: p, Mask: p.Mask})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return g
}

// call makes one call and wants a reply of the ABI.
func call(t testing.TB, g *Gate, operation string, request any) abi.Reply {
	t.Helper()
	data, ok := request.([]byte)
	if !ok {
		var err error
		if data, err = json.Marshal(request); err != nil {
			t.Fatal(err)
		}
	}
	return decodeReply(t, g.Call(t.Context(), operation, data))
}

func decodeReply(t testing.TB, data []byte) abi.Reply {
	t.Helper()
	var reply abi.Reply
	if err := json.Unmarshal(data, &reply); err != nil {
		t.Fatalf("no reply: %q", data)
	}
	if (reply.OK == nil) == (reply.Error == nil) {
		t.Fatalf("neither or both of ok and error: %s", data)
	}
	return reply
}

// as decodes the result of a call that should have worked.
func as[R any](t testing.TB, reply abi.Reply) R {
	t.Helper()
	var result R
	if reply.Error != nil {
		t.Fatalf("%s: %s", reply.Error.Code, reply.Error.Message)
	}
	if err := json.Unmarshal(reply.OK, &result); err != nil {
		t.Fatal(err)
	}
	return result
}

func wantError(t testing.TB, reply abi.Reply, code abi.Code, message string) {
	t.Helper()
	if reply.Error == nil || reply.Error.Code != code || !strings.Contains(reply.Error.Message, message) {
		t.Errorf("got %s %+v, want %s: %s", reply.OK, reply.Error, code, message)
	}
}

// requests has one for every operation, each of which would work.
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
	abi.OpProbe:        abi.ProbeRequest{Address: "127.0.0.1:4"},
}

// TestEveryOperationIsGuarded walks over all operations: under a policy that
// allows nothing each is denied, and nothing happens.
func TestEveryOperationIsGuarded(t *testing.T) {
	for _, policy := range []string{"", "version: 1", "version: 1\nproviders: {other: {exec: ['**'], files: {read: ['**']}}}"} {
		p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
		g := p.gate(t, policy)
		if got := g.Operations(); !slices.Equal(got, abi.Operations()) {
			t.Fatalf("bound are %v, the ABI has %v", got, abi.Operations())
		}
		for _, operation := range g.Operations() {
			request, ok := requests[operation]
			if !ok {
				t.Fatalf("add a request for %s to this test", operation)
			}
			wantError(t, call(t, g, operation, request), abi.CodeDenied, "")
			rec := p.records[len(p.records)-1]
			if !rec.Denied() || rec.Result != nil {
				t.Errorf("%s: recorded %+v", operation, rec)
			}
		}
		if _, err := os.Stat(filepath.Join(p.Root, "made")); err == nil || len(p.logged) > 0 {
			t.Error("something happened")
		}
	}
}

// TestDenialSaysHow wants the way to allow a call in what the provider gets.
func TestDenialSaysHow(t *testing.T) {
	p := newProject(t, map[string]string{"file": "x", "Dockerfile": "FROM scratch"})
	g := p.gate(t, "")
	for operation, request := range requests {
		reply := call(t, g, operation, request)
		_, policy, ok := strings.Cut(reply.Error.Hint, "stagecraft.policy.yml:\n")
		if !ok {
			t.Errorf("%s: no hint in %q", operation, reply.Error.Hint)
			continue
		}
		switch operation {
		case abi.OpDockerBuild, abi.OpDockerImage, abi.OpProcessWait, abi.OpProcessStop:
			// These would look for an engine, and for what was started.
			continue
		}
		if reply := call(t, p.gate(t, policy), operation, request); reply.Error != nil {
			t.Errorf("%s: still %s with\n%s", operation, reply.Error.Message, policy)
		}
	}
}

type nothing struct{}

func wholeOp() Op[nothing, nothing, nothing] {
	return Op[nothing, nothing, nothing]{
		Name:    abi.OpLog,
		Resolve: func(context.Context, nothing) (nothing, error) { return nothing{}, nil },
		Claim:   func(nothing) capability.Claim { return capability.Claim{Log: true} },
		Do:      func(context.Context, nothing) (nothing, error) { return nothing{}, nil },
		Looks:   true,
	}
}

func TestBindRefusesParts(t *testing.T) {
	for name, remove := range map[string]func(*Op[nothing, nothing, nothing]){
		"Name":    func(op *Op[nothing, nothing, nothing]) { op.Name = "" },
		"Resolve": func(op *Op[nothing, nothing, nothing]) { op.Resolve = nil },
		"Claim":   func(op *Op[nothing, nothing, nothing]) { op.Claim = nil },
		"Do":      func(op *Op[nothing, nothing, nothing]) { op.Do = nil },
	} {
		op := wholeOp()
		remove(&op)
		if _, err := Bind(op); err == nil {
			t.Errorf("bound without %s", name)
		}
	}
}

func TestNewGateRefuses(t *testing.T) {
	op, err := Bind(wholeOp())
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() (*Gate, error){
		"twice": func() (*Gate, error) {
			return NewGate(GateOptions{Provider: "p", Operations: []Bound{op, op}, Auditor: &project{}})
		},
		"not bound": func() (*Gate, error) {
			return NewGate(GateOptions{Provider: "p", Operations: []Bound{{}}, Auditor: &project{}})
		},
		"no auditor": func() (*Gate, error) { return NewGate(GateOptions{Provider: "p", Operations: []Bound{op}}) },
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
	for name, spoil := range map[string]func(*Op[nothing, nothing, nothing]){
		"Resolve": func(op *Op[nothing, nothing, nothing]) {
			op.Resolve = func(context.Context, nothing) (nothing, error) { panic("oh") }
		},
		"Claim": func(op *Op[nothing, nothing, nothing]) { op.Claim = func(nothing) capability.Claim { panic("oh") } },
		"Do": func(op *Op[nothing, nothing, nothing]) {
			op.Do = func(context.Context, nothing) (nothing, error) { panic("oh") }
		},
	} {
		op := wholeOp()
		spoil(&op)
		bound, err := Bind(op)
		if err != nil {
			t.Fatal(err)
		}
		g, err := NewGate(GateOptions{Provider: "p", Policies: []*capability.Policy{policy}, Operations: []Bound{bound}, Auditor: &project{}})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		wantError(t, call(t, g, abi.OpLog, nothing{}), abi.CodeFailed, "the host failed")
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
		wantError(t, call(t, g, abi.OpExec, []byte(request)), abi.CodeInvalid, "exec: the request is wrong")
	}
	wantError(t, call(t, g, "format_disk", nothing{}), abi.CodeInvalid, `there is no operation "format_disk"`)
}

func TestOrderOfDecideAndDo(t *testing.T) {
	var order []string
	op := wholeOp()
	op.Do = func(context.Context, nothing) (nothing, error) {
		order = append(order, "do")
		return nothing{}, nil
	}
	bound, err := Bind(op)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := capability.New("made", "p")
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGate(GateOptions{Provider: "p", Policies: []*capability.Policy{policy}, Operations: []Bound{bound}, Auditor: &orderAuditor{&order}})
	if err != nil {
		t.Fatal(err)
	}
	call(t, g, abi.OpLog, nothing{})
	if want := []string{"decided", "do", "done"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}

type orderAuditor struct{ order *[]string }

func (a *orderAuditor) Decided(*Record) error {
	*a.order = append(*a.order, "decided")
	return nil
}

func (a *orderAuditor) Done(*Record) { *a.order = append(*a.order, "done") }

// FuzzGateCall wants a reply of the ABI for any bytes, under a policy that
// allows what has no effect.
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
		decodeReply(t, g.Call(t.Context(), operation, request))
		p.records, p.logged = nil, nil
	})
}

func needUnix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("uses programs of Unix")
	}
}
