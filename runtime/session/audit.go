package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// auditLog writes the records of a run. Nil writes nothing.
type auditLog struct {
	log    *audit.Log
	base   audit.Record
	begun  time.Time
	mask   *redact.Set
	warn   func(error)
	calls  int
	denied int
	err    error // the first; no effect is allowed after it
}

// AuditError says that the audit log cannot be written. Nothing happens without its
// record.
type AuditError struct {
	File string
	Err  error
}

func (e *AuditError) Error() string {
	return fmt.Sprintf("cannot write the audit log %s: %v", e.File, e.Err)
}

// Unwrap returns the cause.
func (e *AuditError) Unwrap() error { return e.Err }

// startAudit opens the log, if the user wants one, and writes the run's first record.
func (r *run) startAudit(ctx context.Context) (*auditLog, error) {
	s := r.session
	if s.opts.Audit == "" {
		return nil, nil
	}
	log, err := audit.Open(s.opts.Audit, audit.Options{
		Heads: audit.Heads(s.opts.AuditHeads), Done: ctx.Done(),
		Slow: func() {
			s.opts.Reporter.Warn(fmt.Errorf("waiting for another process that writes to the audit log %s", s.opts.Audit))
		},
	})
	if err != nil {
		return nil, &AuditError{s.opts.Audit, err}
	}
	if stepInside(s.config.Root, log.Name()) != "" {
		s.opts.Reporter.Warn(fmt.Errorf("the audit log %s is in the project: whoever can change the project can change it", s.opts.Audit))
	}
	a := &auditLog{log: log, warn: s.opts.Reporter.Warn, mask: s.opts.Mask, begun: time.Now(), base: audit.Record{Run: r.id, Provider: r.module.ID, SHA256: r.module.Digest()}}
	for _, p := range s.policies() {
		a.base.Policies = append(a.base.Policies, audit.Policy{Layer: string(p.Layer), Name: p.Name, SHA256: p.Digest})
	}
	first := a.base
	first.Type, first.Command, first.Versions = audit.TypeStart, r.operation, s.opts.Versions
	first.Config = &audit.File{Name: s.config.File, SHA256: s.config.Digest}
	first.Confinement = r.confinement.String()
	a.append(first)
	if a.err != nil {
		log.Close()
		return nil, &AuditError{s.opts.Audit, a.err}
	}
	return a, nil
}

func (a *auditLog) append(r audit.Record) {
	r.Time = time.Now()
	// Texts of providers and programs may contain secret values, and so may a rule: one
	// is the configuration's own command.
	r.Asked, r.Reason, r.Claim = a.mask.Text(r.Asked), a.mask.Text(r.Reason), a.mask.JSON(r.Claim)
	r.Rule = a.mask.Text(r.Rule)
	for i := range r.Changed {
		r.Changed[i].Name = a.mask.Text(r.Changed[i].Name)
	}
	for i := range r.Layers {
		r.Layers[i].Rule = a.mask.Text(r.Layers[i].Rule)
	}
	if r.Error != nil {
		r.Error.Message = a.mask.Text(termtext.Clean(r.Error.Message))
	}
	if err := a.log.Append(&r); err != nil && a.err == nil {
		a.err = err
	}
}

// decided records an effect before it happens, so that a killed run leaves a trace of
// it. Without the record it does not happen.
func (a *auditLog) decided(rec *Record) error {
	if a == nil {
		return nil
	}
	a.calls++
	if rec.Effect && !rec.Denied() && a.err == nil {
		begin := a.base
		begin.Type, begin.Call, begin.Operation = audit.TypeBegin, a.calls, rec.Operation
		begin.Asked, begin.Claim = rec.Claim.String(), claimJSON(rec.Claim)
		a.append(begin)
	}
	if a.err != nil {
		return abi.Errorf(abi.CodeFailed, "not done without its record: cannot write the audit log: %v", a.err)
	}
	return nil
}

// done writes the record of a finished call.
func (a *auditLog) done(rec *Record) {
	if a == nil {
		return
	}
	r := a.base
	if !rec.Decided {
		a.calls++
	}
	r.Type, r.Call, r.Operation = audit.TypeCall, a.calls, rec.Operation
	r.DurationMS = milliseconds(rec.Duration)
	r.RequestBytes, r.ReplyBytes = rec.RequestBytes, rec.ReplyBytes
	if rec.Decided {
		r.Asked, r.Claim = rec.Claim.String(), claimJSON(rec.Claim)
		decide(&r, rec)
	}
	if rec.Denied() {
		a.denied++
		r.Reason = strings.Join(rec.Reasons(), "; ")
	}
	if rec.Error != nil {
		r.Error = &audit.Failure{Code: string(rec.Error.Code), Message: rec.Error.Message}
	}
	if rec.Error == nil {
		r.ExitCode, r.Signal, r.Unchanged = ending(rec.Result)
	}
	a.append(r)
}

// ending is how a program ended, if the result of a call says so, and whether it did
// not run because its input was unchanged.
func ending(result any) (code *int, signal string, unchanged bool) {
	switch result := result.(type) {
	case abi.ExecResult:
		if result.Unchanged {
			return nil, "", true
		}
		return &result.ExitCode, result.Signal, false
	case abi.ProcessExit:
		return &result.ExitCode, result.Signal, false
	case abi.ProcessWaitResult:
		if result.Exited != nil {
			return &result.Exited.ExitCode, result.Exited.Signal, false
		}
	}
	return nil, "", false
}

// decide adds the decision, and those of all layers.
func decide(r *audit.Record, rec *Record) {
	r.Decision, r.Layer, r.Reason = word(rec.Decision), string(rec.Decision.Layer), rec.Decision.Reason()
	r.Rule, r.RuleFile, r.RuleLine = rec.Decision.Rule, rec.Decision.Pos.File, rec.Decision.Pos.Line
	for _, said := range rec.Layers {
		r.Layers = append(r.Layers, audit.Layer{
			Layer: string(said.Layer), Name: said.Policy, Decision: word(said),
			Rule: said.Rule, File: said.Pos.File, Line: said.Pos.Line,
		})
	}
}

func word(d capability.Decision) string {
	if d.Allowed {
		return audit.Allowed
	}
	return audit.Denied
}

func claimJSON(c capability.Claim) json.RawMessage {
	data, err := json.Marshal(c)
	if err != nil {
		// Such a claim is denied, and recorded in words.
		return nil
	}
	return data
}

// end writes the run's last record. It returns an error if a record is missing.
func (a *auditLog) end(ctx context.Context, outcome func(context.Context, error) (string, int), err error, changed []ChangedFile) error {
	if a == nil {
		return nil
	}
	defer a.log.Close()
	r := a.base
	r.Type, r.Calls, r.Denied, r.DurationMS = audit.TypeEnd, a.calls, a.denied, milliseconds(time.Since(a.begun))
	word, code := outcome(ctx, err)
	r.Outcome, r.ExitCode = word, &code
	for _, f := range changed {
		r.Changed = append(r.Changed, audit.Change{Name: f.Name, How: f.How})
	}
	if err != nil {
		r.Error = &audit.Failure{Message: err.Error()}
		if e, ok := errors.AsType[*abi.Error](err); ok {
			r.Error.Code = termtext.Line(cmp.Or(e.Reason, string(e.Code)), 100)
		}
	}
	a.append(r)
	if err := a.log.HeadError(); err != nil {
		a.warn(fmt.Errorf("cannot store the head of the audit log %s, so a truncated log cannot be detected: %w", a.log.Name(), err))
	}
	if a.err != nil {
		return &AuditError{a.log.Name(), a.err}
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
