package cli

import (
	"context"
	"io"
	"os"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/actions"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// newWorkflow returns the workflow of GitHub Actions, nil outside one.
func newWorkflow(s System, secrets *redact.Set) *actions.Workflow {
	if !actions.Enabled(s.Environ) {
		return nil
	}
	// Without a working directory relative names stay relative.
	dir, _ := os.Getwd()
	return actions.New(masking{s.Stderr, secrets}, s.Environ, dir)
}

// defanging keeps the runner from taking printed text for a command.
type defanging struct{ io.Writer }

func (d defanging) Write(p []byte) (int, error) {
	if _, err := io.WriteString(d.Writer, actions.Defang(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// stopCommands keeps the runner from taking printed text for a command until resume
// is called. Meanwhile all output of children goes to standard error: the runner
// reads two streams in no order, and must see all of it before the end of the stop.
func (a *app) stopCommands(opts *session.Options) (resume func()) {
	if a.workflow == nil {
		return func() {}
	}
	opts.Stdout, opts.Stderr = a.workflow, a.workflow
	return a.workflow.Stop()
}

// maxCalls bounds the calls in a summary, which says that calls are left out.
const maxCalls = 2000

// callList keeps the calls of a run for its summary.
type callList struct {
	session.Reporter
	calls []actions.Call
}

// Call implements [session.Reporter].
func (l *callList) Call(rec *session.Record) {
	l.Reporter.Call(rec)
	if !rec.Decided || len(l.calls) == maxCalls {
		return
	}
	call := actions.Call{Operation: rec.Operation, Asked: rec.Claim.String(), Decision: verdict(rec.Decision.Allowed), Rule: rec.Decision.Rule}
	if at := rec.Decision.Pos; at.Line > 0 {
		call.Rule += ", " + at.String()
	}
	l.calls = append(l.calls, call)
}

// summarize writes the step's summary.
func (a *app) summarize(ctx context.Context, command, log string, calls []actions.Call, err error) {
	if a.workflow == nil {
		return
	}
	outcome, _ := outcome(ctx, err)
	run := actions.Run{Title: "Stagecraft " + command, Command: "stagecraft " + command, Outcome: outcome, Calls: calls, AllowFile: policyFile}
	if a.opened != nil {
		run.Provider = a.opened.Config().Provider
	}
	if err != nil {
		f := failureOf(err)
		run.Allow = f.Allow
		for _, d := range f.Denials {
			run.Denials = append(run.Denials, actions.Denial{Operation: d.Operation, Asked: d.Asked, Reason: d.Reason})
		}
	}
	if log != "" {
		if report, err := audit.Verify(log); err == nil {
			run.Head = report.Head
		}
	}
	a.workflow.Summary(masked(run, a.secrets))
}

// masked masks secrets in a run.
func masked(run actions.Run, secrets *redact.Set) actions.Run {
	for i, c := range run.Calls {
		run.Calls[i].Asked, run.Calls[i].Rule = secrets.Text(c.Asked), secrets.Text(c.Rule)
	}
	for i, d := range run.Denials {
		run.Denials[i].Asked, run.Denials[i].Reason = secrets.Text(d.Asked), secrets.Text(d.Reason)
	}
	run.Allow = secrets.Text(run.Allow)
	return run
}

// annotate shows an error at its locations, beside the lines of a pull request.
func annotate(w *actions.Workflow, f failure) {
	for i, p := range f.Problems {
		if i == maxProblems {
			break
		}
		w.Error(actions.Annotation{File: p.File, Line: p.Line, Column: p.Column, Title: p.Field, Message: joined("\n", p.Message, p.Hint)})
	}
	for _, d := range f.Denials {
		w.Error(actions.Annotation{File: d.File, Line: d.Line, Column: d.Column, Title: "denied: " + d.Asked, Message: joined("\n", d.Reason, d.Allow)})
	}
	if len(f.Problems)+len(f.Denials) == 0 {
		w.Error(actions.Annotation{Message: joined("\n", f.Message, f.Hint)})
	}
}

// open opens a session, and keeps it for the summary and for SARIF.
func (a *app) open(opts session.Options) (*session.Session, error) {
	s, err := session.Open(opts)
	if err == nil {
		a.opened = s
		a.printer.beside(s)
	}
	return s, err
}

// root returns the directory that files are relative to in SARIF: the workspace, the
// project or the working directory.
func (a *app) root() string {
	if workspace := a.getenv("GITHUB_WORKSPACE"); workspace != "" {
		return workspace
	}
	if a.opened != nil {
		return a.opened.Config().Root
	}
	dir, _ := os.Getwd()
	return dir
}
