package session

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// BenchmarkGate compares a call with an empty effect under one layer with one under three
// layers and with an audit log.
func BenchmarkGate(b *testing.B) {
	layer := func(kind capability.Layer) *capability.Policy {
		p, err := capability.Parse("p", []byte("version: 1\nproviders: {p: {exec: ['npm run *']}}"))
		if err != nil {
			b.Fatal(err)
		}
		p.Layer, p.Name = kind, fmt.Sprintf("/home/you/shop/%s.yml", kind)
		return p
	}
	one := []*capability.Policy{layer(capability.Project)}
	three := []*capability.Policy{layer(capability.Asked), layer(capability.Project), layer(capability.Ceiling)}
	b.Run("plain", func(b *testing.B) { benchmarkGate(b, one, nil) })
	b.Run("audited", func(b *testing.B) {
		log, err := audit.Open(filepath.Join(b.TempDir(), "audit.jsonl"), audit.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer log.Close()
		a := &auditLog{log: log, base: audit.Record{Run: "RUN", Provider: "p", SHA256: "00"}}
		for _, p := range three {
			a.base.Policies = append(a.base.Policies, audit.Policy{Layer: string(p.Layer), Name: p.Name, SHA256: p.Digest})
		}
		benchmarkGate(b, three, a)
		if a.err != nil {
			b.Fatal(a.err)
		}
	})
}

type silent struct{ Reporter }

func (silent) Call(*hostfuncs.Record) {}

func benchmarkGate(b *testing.B, layers []*capability.Policy, log *auditLog) {
	op := hostfuncs.Op[abi.ExecRequest, abi.ExecRequest, abi.ExecResult]{
		Name:    abi.OpExec,
		Resolve: func(_ context.Context, q abi.ExecRequest) (abi.ExecRequest, error) { return q, nil },
		Claim: func(q abi.ExecRequest) capability.Claim {
			return capability.Claim{Exec: &capability.Exec{Argv: q.Argv, Program: "/usr/bin/npm", Dir: "."}}
		},
		Do:      func(context.Context, abi.ExecRequest) (abi.ExecResult, error) { return abi.ExecResult{}, nil },
		Step:    func(context.Context, abi.ExecRequest) (hostfuncs.Detail, error) { return nil, nil },
		Preview: func(abi.ExecRequest) (abi.ExecResult, []string, error) { return abi.ExecResult{}, nil, nil },
	}
	gate, err := hostfuncs.NewGate(hostfuncs.GateOptions{
		Provider: "p", Policies: layers, Operations: []hostfuncs.Operation{op}, Auditor: &recorder{reporter: silent{}, audit: log, mode: live{}},
	})
	if err != nil {
		b.Fatal(err)
	}
	request := []byte(`{"argv":["npm","run","dev"]}`)
	want := `{"ok":{"exit_code":0}}`
	if got := string(gate.Call(b.Context(), abi.OpExec, request)); got != want {
		b.Fatalf("got %s, want %s", got, want)
	}
	for b.Loop() {
		gate.Call(b.Context(), abi.OpExec, request)
	}
}
