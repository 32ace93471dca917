package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/doctor"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (doctorCmd) Help() string {
	return `Checks the machine, and the project if there is one: the engine, what the kernel
enforces, directories, the clock, the configuration, the lock file, the policies and
the programs that dev would run. Nothing is changed. The exit code is 1 if there is
an error.

Examples:
  stagecraft doctor
  stagecraft doctor --json`
}

// doctorJSON is printed by --json; fields are only added.
type doctorJSON struct {
	// Project is the configuration, empty outside of projects.
	Project  string           `json:"project,omitempty"`
	Errors   int              `json:"errors"`
	Warnings int              `json:"warnings"`
	Findings []doctor.Finding `json:"findings"`
}

// Run is called by kong.
func (c doctorCmd) Run(ctx context.Context, a *app) error {
	machine, project := session.Diagnose(ctx, a.options())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	machine.Version, machine.Built, machine.Terminal = versionText(), built(), a.terminal()
	v := doctorJSON{Findings: machine.Findings()}
	text := a.findingsText("this machine", v.Findings)
	if project == nil {
		text += "\nno project here: only the machine was checked\n"
	} else {
		found := project.Findings()
		v.Project, v.Findings = project.File, append(v.Findings, found...)
		text += a.findingsText("\nthe project of "+safeLine(project.File, 1000), found)
	}
	v.Errors, v.Warnings = doctor.Count(v.Findings, doctor.Error), doctor.Count(v.Findings, doctor.Warning)
	text += fmt.Sprintf("\n%s, %s\n", counted(v.Errors, "error"), counted(v.Warnings, "warning"))
	err := a.printer.resultAs(c.JSON, v, text)
	if err == nil && v.Errors > 0 {
		err = errFindings
	}
	return err
}

func (a *app) terminal() doctor.Terminal {
	t := doctor.Terminal{
		Stdin: term.IsTerminal(int(os.Stdin.Fd())), Stdout: term.IsTerminal(int(a.Stdout.Fd())), Stderr: term.IsTerminal(int(a.Stderr.Fd())),
		Name: termtext.Line(a.getenv("TERM"), 100),
	}
	for _, f := range []*os.File{os.Stdin, a.Stdout, a.Stderr} {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			t.Columns = columns
			break
		}
	}
	return t
}

// findingsText lists findings below a title. Warnings and errors are coloured on a
// terminal.
func (a *app) findingsText(title string, findings []doctor.Finding) string {
	colored := wantsColor(a.Stdout, a.Environ)
	var b strings.Builder
	b.WriteString(title + "\n")
	for _, f := range findings {
		status := fmt.Sprintf("%-7s", f.Status)
		if colored && f.Status != doctor.OK {
			status = "\x1b[1;31m" + status + "\x1b[0m"
		}
		message := strings.ReplaceAll(strings.TrimSpace(termtext.Clean(f.Message)), "\n", "\n  ")
		fmt.Fprintf(&b, "  %s  %-13s  %s\n", status, f.Check, message)
		for line := range strings.Lines(termtext.Clean(f.Hint)) {
			fmt.Fprintf(&b, "%26s%s\n", "", strings.TrimRight(line, "\n"))
		}
	}
	return b.String()
}
