package session

import (
	"context"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Said is what one layer says of a call.
type Said struct {
	Layer   string `json:"layer"`
	Policy  string `json:"policy"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`
	Rule    string `json:"rule,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// SaidBy lists what the layers said of a call, in their order.
func SaidBy(rec *Record) []Said {
	said := make([]Said, len(rec.Layers))
	for i, d := range rec.Layers {
		said[i] = Said{
			Layer: string(d.Layer), Policy: d.Policy, Allowed: d.Allowed, Reason: d.Reason(),
			Rule: d.Rule, File: d.Pos.File, Line: d.Pos.Line,
		}
	}
	return said
}

// Explanation is what the layers say of one call.
type Explanation struct {
	Record *Record
	// Policies are the layers, in the order of the record's.
	Policies []*capability.Policy
}

// Explain tells what would be decided if the selected provider made a call.
// Nothing is done, and the provider is not asked to do anything. For a build
// tag is the reference that the user builds.
func (s *Session) Explain(ctx context.Context, operation string, request []byte, tag string) (Explanation, error) {
	var e Explanation
	m, err := readSeen(s.selected)
	r := &run{
		call: call{operation: "explain", build: BuildOptions{Tag: tag}, builds: s.builds}, session: s, mode: live{},
		module: m.Module, recorder: &recorder{reporter: s.opts.Reporter, mode: live{}},
	}
	if err != nil {
		return e, r.failed(err)
	}
	if err := s.admitIdle(m); err != nil {
		return e, err
	}
	gate := &lateGate{ctx: ctx}
	l, err := load(ctx, m, gate, s.opts, "")
	if err != nil {
		return e, r.failed(err)
	}
	defer l.close()
	if err := s.checkEntry(l); err != nil {
		return e, err
	}
	if _, err := r.connect(gate, l, r.builds); err != nil {
		return e, err
	}
	e.Policies = gate.gate.Policies()
	e.Record, err = gate.gate.Explain(ctx, operation, request)
	return e, err
}
