package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// hostCall measures calls of the host from a module in the helper's process, through a
// gate with an effect that does nothing.
func (m *measurement) hostCall() {
	const many, size = 5000, 200
	answer := `{"ok":{"exit_code":0,"stdout":""}}`
	gate := m.gate(abi.ExecResult{Stdout: strings.Repeat("x", size-len(answer))})
	request := fmt.Sprintf(`{"argv":["true","%s"]}`, strings.Repeat("x", size-len(`{"argv":["true",""]}`)))
	reply := gate.Call(m.t.Context(), abi.OpExec, []byte(request))
	if len(request) != size || len(reply) != size {
		m.t.Fatalf("%d and %d bytes: %s", len(request), len(reply), reply)
	}
	config, err := json.Marshal(map[string]any{"dev": []any{map[string]any{"times": many, "raw": map[string]any{"operation": abi.OpExec, "text": request}}}})
	if err != nil {
		m.t.Fatal(err)
	}
	input, err := json.Marshal(abi.DevOptions{Config: config, WorkDir: "."})
	if err != nil {
		m.t.Fatal(err)
	}
	module := m.module(gate)
	defer module.Close(m.t.Context())
	took := m.inTurns("calls of the host", timed{"all", func() spent {
		start := time.Now()
		if out, err := module.Call(m.t.Context(), abi.ExportDev, input); err != nil || strings.Contains(string(out), "error") {
			m.t.Fatalf("%v, %s", err, out)
		}
		return spent{time: time.Since(start)}
	}})
	m.atMost("a call of the host from a module, round trip, 200 bytes each way",
		float64(took["all"].time.Nanoseconds())/many/1000, 80, "%.0f µs", "")
}

// gate is a gate whose commands are not run and have a result.
func (m *measurement) gate(result abi.ExecResult) *hostfuncs.Gate {
	policy, err := capability.Parse("p", []byte("version: 1\nproviders: {p: {exec: ['true *']}}"))
	if err != nil {
		m.t.Fatal(err)
	}
	op := hostfuncs.Op[abi.ExecRequest, abi.ExecRequest, abi.ExecResult]{
		Name:    abi.OpExec,
		Resolve: func(_ context.Context, q abi.ExecRequest) (abi.ExecRequest, error) { return q, nil },
		Claim: func(q abi.ExecRequest) capability.Claim {
			return capability.Claim{Exec: &capability.Exec{Argv: q.Argv, Program: "/usr/bin/true", Dir: "."}}
		},
		Do:      func(context.Context, abi.ExecRequest) (abi.ExecResult, error) { return result, nil },
		Step:    func(context.Context, abi.ExecRequest) (hostfuncs.Detail, error) { return nil, nil },
		Preview: func(abi.ExecRequest) (abi.ExecResult, []string, error) { return result, nil, nil },
	}
	gate, err := hostfuncs.NewGate(hostfuncs.GateOptions{
		Provider: "p", Policies: []*capability.Policy{policy}, Operations: []hostfuncs.Operation{op}, Auditor: noAudit{},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return gate
}

// noAudit records nothing.
type noAudit struct{}

func (noAudit) Decided(*hostfuncs.Record) error { return nil }
func (noAudit) Done(*hostfuncs.Record)          {}

// module loads the module player in the released helper.
func (m *measurement) module(host sandbox.Host) *sandbox.Module {
	file, err := clitest.Builder().Module("providers/providertest/player")
	if err != nil {
		m.t.Fatal(err)
	}
	helper, err := os.ReadFile(filepath.Join(clitest.Root(), "bin", "helpers", "stagecraft-sandbox"))
	if err != nil {
		m.t.Fatal(err)
	}
	wasm := []byte(clitest.ReadFile(m.t, file))
	options := sandbox.Options{
		Operations: abi.Operations(), Host: host, Helper: sandbox.NewHelper(helper, nil), CacheDir: filepath.Join(m.cache, "calls"),
		Warn: func(err error) { m.t.Error(err) },
	}
	if err := sandbox.Compile(m.t.Context(), wasm, options); err != nil {
		m.t.Fatal(err)
	}
	module, err := sandbox.Open(m.t.Context(), wasm, options)
	if err != nil {
		m.t.Fatal(err)
	}
	return module
}

// decide measures decisions, which must not depend on the number of rules.
func (m *measurement) decide() {
	for _, n := range []int{10, 1_000, 10_000} {
		var text strings.Builder
		text.WriteString("version: 1\nproviders:\n  x:\n    exec:\n")
		for i := range n {
			fmt.Fprintf(&text, "      - npm run task-%d --level=* **\n", i)
		}
		policy, err := capability.Parse("p", []byte(text.String()))
		if err != nil {
			m.t.Fatal(err)
		}
		policies := []*capability.Policy{policy}
		claim := capability.Claim{Operation: "exec", Provider: "x", Exec: &capability.Exec{
			Argv: []string{"npm", "run", fmt.Sprintf("task-%d", n/2), "--level=3", "x"}, Program: "/usr/bin/npm", Dir: ".",
		}}
		if d := capability.Decide(policies, claim); !d.Allowed {
			m.t.Fatal(d.Reason())
		}
		r := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				capability.Decide(policies, claim)
			}
		})
		m.row(fmt.Sprintf("Decide with %d rules", n), fmt.Sprintf("%d ns", r.NsPerOp()), "under 1 µs")
	}
}
