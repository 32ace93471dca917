package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/sarif"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// recordFlags are for commands that have effects.
type recordFlags struct {
	Audit string `placeholder:"FILE" help:"Append a record of every call to the log in FILE; default STAGECRAFT_AUDIT."`
	Sarif string `placeholder:"FILE" help:"Write what was denied to FILE as SARIF, for code scanning."`
}

// recorded makes a run, and has it told of wherever the user wants that.
func (f recordFlags) recorded(ctx context.Context, a *app, command string, run func(session.Options) error) error {
	opts := a.options()
	opts.MayLoad, opts.Confirm = a.loader(ctx), a.confirmer(ctx)
	if opts.Audit = f.Audit; opts.Audit == "" {
		var err error
		if opts.Audit, err = a.namedBy("STAGECRAFT_AUDIT"); err != nil {
			return err
		}
	}
	opts.Own = append(opts.Own, f.Sarif)
	// Code scanning is told of the run, and by its summary whoever reads a workflow.
	opts.LoadModule = f.Sarif != "" || a.workflow != nil
	calls := &callList{Reporter: opts.Reporter}
	opts.Reporter = calls
	resume := a.stopCommands(&opts)
	a.runs.Store(true)
	err := run(opts)
	a.runs.Store(false)
	resume()
	a.summarize(ctx, command, opts.Audit, calls.calls, err)
	return errors.Join(err, f.writeSarif(a, err))
}

// writeSarif writes the log that --sarif wants: also when nothing was denied,
// since a reader then knows that nothing was.
func (f recordFlags) writeSarif(a *app, err error) error {
	if f.Sarif == "" {
		return nil
	}
	report := sarif.Report{ToolVersion: moduleVersion(), Root: a.root()}
	denied, _ := errors.AsType[*session.DeniedError](err)
	for _, d := range denialsOf(denied) {
		report.Results = append(report.Results, sarif.Result{
			RuleID: "denied/" + d.Operation, Message: d.Asked + ": " + d.Reason, Hint: d.Allow,
			File: d.File, Line: d.Line, Column: d.Column,
		})
	}
	var b bytes.Buffer
	if err := sarif.Write(&b, report); err != nil {
		return err
	}
	if err := atomicfile.Write(f.Sarif, a.secrets.JSON(b.Bytes())); err != nil {
		return fmt.Errorf("--sarif: %w", err)
	}
	return nil
}

// readLimited reads a file that the user names on the command line.
func readLimited(file string) ([]byte, error) {
	data, err := config.ReadFile(file)
	if err != nil {
		return nil, yamldoc.Problems{{Pos: yamldoc.Pos{File: file}, Message: "the file can't be read: " + err.Error()}}
	}
	return data, nil
}
