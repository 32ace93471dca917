package session

import (
	"context"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// DeniedError says that policies denied calls of the provider, however the provider
// ended.
type DeniedError struct {
	// Denials are the first denied calls, each claim once.
	Denials []Record
	// Count is the number of denied calls.
	Count int
	// Err is the provider's error, nil if it ended without one.
	Err error
}

func (e *DeniedError) Error() string {
	if e.Count == 1 {
		return "1 call denied by policy"
	}
	return fmt.Sprintf("%d calls denied by policy", e.Count)
}

// Unwrap returns the provider's error.
func (e *DeniedError) Unwrap() error { return e.Err }

// Grants are the lines for one policy that would allow all denied calls.
func (e *DeniedError) Grants() []capability.Grant {
	var grants []capability.Grant
	merged := make(map[capability.Grant]bool)
	for _, d := range e.Denials {
		for _, g := range d.Grants() {
			if !merged[g] {
				merged[g] = true
				grants = append(grants, g)
			}
		}
	}
	return grants
}

// recorder collects from the calls of a run what decides its outcome, and passes them
// to the audit log, the mode and the reporter.
type recorder struct {
	reporter Reporter
	audit    *auditLog
	mode     mode
	denials  []Record
	denied   int
	seen     map[string]bool
	built    *builtImage
	work     work
}

// builtImage is an image, and the operation that returned it.
type builtImage struct {
	abi.DockerBuildResult
	operation string
	bases     []Base
}

// basesOf are the base images of a build.
func basesOf(b *capability.Build, digests map[string]string) []Base {
	var bases []Base
	for _, ref := range b.Bases {
		bases = append(bases, Base{Reference: ref, Digest: digests[ref]})
	}
	return bases
}

// maxDenials bounds what a provider that asks again and again can use up.
const maxDenials = 50

// Decided implements [hostfuncs.Auditor].
func (r *recorder) Decided(rec *Record) error {
	if rec.Denied() {
		r.deny(rec)
	}
	return r.audit.decided(rec)
}

func (r *recorder) deny(rec *Record) {
	r.denied++
	asked := rec.Claim.String()
	if r.seen[asked] || len(r.denials) == maxDenials {
		return
	}
	if r.seen == nil {
		r.seen = make(map[string]bool)
	}
	r.seen[asked] = true
	r.denials = append(r.denials, *rec)
}

// Done implements [hostfuncs.Auditor].
func (r *recorder) Done(rec *Record) {
	if rec.Error == nil {
		if rec.Effect {
			r.work.note(rec.Claim)
		}
		switch image := rec.Result.(type) {
		case abi.DockerBuildResult:
			r.built = &builtImage{image, rec.Operation, basesOf(rec.Claim.Build, image.Bases)}
		case abi.DockerImageResult:
			r.built = &builtImage{abi.DockerBuildResult{Image: image.Image, ID: image.ID, Digest: image.Digest, Config: image.Config}, rec.Operation, nil}
		}
	}
	r.mode.note(rec)
	r.audit.done(rec)
	r.reporter.Call(rec)
}

// LayerDecision is one layer's decision about a call.
type LayerDecision struct {
	Layer   string `json:"layer"`
	Policy  string `json:"policy"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`
	Rule    string `json:"rule,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// LayerDecisions lists the decisions of all layers about a call.
func LayerDecisions(rec *Record) []LayerDecision {
	decisions := make([]LayerDecision, len(rec.Layers))
	for i, d := range rec.Layers {
		decisions[i] = LayerDecision{
			Layer: string(d.Layer), Policy: d.Policy, Allowed: d.Allowed, Reason: d.Reason(),
			Rule: d.Rule, File: d.Pos.File, Line: d.Pos.Line,
		}
	}
	return decisions
}

// Explanation is what the layers decide about one call.
type Explanation struct {
	Record *Record
	// Policies are the layers, in the order of the record's.
	Policies []*capability.Policy
}

// Explain decides about a call of the selected provider without carrying it out or
// calling the provider. For a build, tag is the reference that the user builds.
func (s *Session) Explain(ctx context.Context, operation string, request []byte, tag string) (Explanation, error) {
	var e Explanation
	m, err := s.selected.Read()
	if err == nil {
		_, err = examine(m)
	}
	r := &run{
		call: call{operation: "explain", build: BuildOptions{Tag: tag}, builds: s.builds}, session: s, mode: live{},
		module: m, recorder: &recorder{reporter: s.opts.Reporter, mode: live{}},
	}
	if err != nil {
		return e, r.failed(err)
	}
	if err := s.admitIdle(m); err != nil {
		return e, err
	}
	gate := &lateGate{ctx: ctx}
	l, err := load(ctx, m, gate, s.opts, "", nil)
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
