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

// auditLog writes what a run does to the audit log. Nil writes nothing.
type auditLog struct {
	log    *audit.Log
	base   audit.Record
	begun  time.Time
	mask   *redact.Set
	warn   func(error)
	calls  int
	denied int
	err    error // the first that happened; nothing more is allowed then
}

// AuditError says that the log can't be written. No effect is had without its
// record.
type AuditError struct {
	File string
	Err  error
}

func (e *AuditError) Error() string {
	return fmt.Sprintf("the audit log %s can't be written: %v", e.File, e.Err)
}

// Unwrap gives what went wrong.
func (e *AuditError) Unwrap() error { return e.Err }

// startAudit opens the log, if one is wanted, and writes the run's first
// record.
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
		s.opts.Reporter.Warn(fmt.Errorf("the audit log %s is in the project: whoever can change the project can change it too", s.opts.Audit))
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
	// What a provider made up, and what a program said, may have a value in it,
	// and so may a rule: one is made of the configuration's own command.
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

// decided notes that an effect is about to be had, so that a run that is
// killed meanwhile leaves a trace of it. Where that can't be noted, it isn't
// had.
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
		return abi.Errorf(abi.CodeFailed, "nothing is done that can't be noted: the audit log can't be written: %v", a.err)
	}
	return nil
}

// done writes the one record of a call.
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
		r.ExitCode, r.Signal = ending(rec.Result)
		r.Unchanged = unchanged(rec.Result)
	}
	a.append(r)
}

// ending is how a program ended, where that is what a call gives.
func ending(result any) (code *int, signal string) {
	switch result := result.(type) {
	case abi.ExecResult:
		if result.Unchanged {
			return nil, ""
		}
		return &result.ExitCode, result.Signal
	case abi.ProcessExit:
		return &result.ExitCode, result.Signal
	case abi.ProcessWaitResult:
		if result.Exited != nil {
			return &result.Exited.ExitCode, result.Exited.Signal
		}
	}
	return nil, ""
}

func unchanged(result any) bool {
	exec, ok := result.(abi.ExecResult)
	return ok && exec.Unchanged
}

// decide puts in what was decided, and what each layer said.
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
		// A claim of unknown uses is denied, and its words are there.
		return nil
	}
	return data
}

// end writes the run's last record, and tells whether all could be written.
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
		a.warn(fmt.Errorf("the head of the audit log %s could not be kept, so that nobody notices if its end is cut off: %w", a.log.Name(), err))
	}
	if a.err != nil {
		return &AuditError{a.log.Name(), a.err}
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
