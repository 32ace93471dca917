package cli

import (
	"bytes"
	"context"
	"errors"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/sarif"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// auditEnv names an audit log.
const auditEnv = "STAGECRAFT_AUDIT"

// recordFlags are for commands that have effects.
type recordFlags struct {
	Audit string `placeholder:"FILE" help:"Append a record of every call to the audit log in FILE; default STAGECRAFT_AUDIT."`
	Sarif string `placeholder:"FILE" help:"Write denials to FILE as SARIF, for code scanning."`
}

// recorded makes a run, and reports it in the audit log, the workflow's summary and
// SARIF, as configured.
func (f recordFlags) recorded(ctx context.Context, a *app, command string, run func(session.Options) error) error {
	opts := a.options()
	opts.MayLoad, opts.Confirm = a.loader(ctx), a.confirmer(ctx)
	if opts.Audit = f.Audit; opts.Audit == "" {
		var err error
		if opts.Audit, err = a.setting(auditEnv); err != nil {
			return err
		}
	}
	opts.Own = append(opts.Own, f.Sarif)
	// SARIF and the workflow's summary must report what this run did, not a replayed one.
	opts.LoadModule = f.Sarif != "" || a.workflow != nil
	calls := &callList{Reporter: opts.Reporter}
	opts.Reporter = calls
	resume := a.stopCommands(&opts)
	<-a.handled
	a.running.Store(true)
	err := run(opts)
	a.running.Store(false)
	resume()
	a.summarize(ctx, command, opts.Audit, calls.calls, err)
	return errors.Join(err, f.writeSarif(a, err))
}

// writeSarif writes the SARIF log, without results if nothing was denied.
func (f recordFlags) writeSarif(a *app, err error) error {
	if f.Sarif == "" {
		return nil
	}
	report := sarif.Report{ToolVersion: moduleVersion(), Root: a.root()}
	if denied, ok := errors.AsType[*session.DeniedError](err); ok {
		for _, d := range denialsOf(denied) {
			report.Results = append(report.Results, sarif.Result{
				RuleID: "denied/" + d.Operation, Message: d.Asked + ": " + d.Reason, Hint: d.Allow,
				File: d.File, Line: d.Line, Column: d.Column,
			})
		}
	}
	var b bytes.Buffer
	if err := sarif.Write(&b, report); err != nil {
		return err
	}
	return writeFile("--sarif", f.Sarif, a.secrets.JSON(b.Bytes()))
}
