package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// reporter shows what happens during a run.
type reporter struct {
	printer *printer
	verbose bool
	// stderr shows the progress of builds if it is a terminal.
	stderr *os.File
}

// Log implements [session.Reporter].
func (r *reporter) Log(provider string, level abi.Level, message string) {
	if level == abi.LevelDebug && !r.verbose {
		return
	}
	prefix := provider + ": "
	if level == abi.LevelWarn {
		prefix = "warning: " + prefix
	}
	fmt.Fprintf(r.printer.stderr, "%s%s\n", prefix, strings.ReplaceAll(message, "\n", "\n  "))
}

// Warn implements [session.Reporter].
func (r *reporter) Warn(err error) { r.printer.warning(err.Error()) }

// Call implements [session.Reporter].
func (r *reporter) Call(rec *session.Record) {
	if !r.verbose {
		return
	}
	call := rec.Operation
	if rec.Decided {
		call = rec.Claim.String() + ": " + rec.Decision.Reason()
	}
	if rec.Error != nil && !rec.Denied() {
		call += ": " + string(rec.Error.Code)
	}
	fmt.Fprintf(r.printer.stderr, "%s: %s (%v)\n", rec.Provider, termtext.Line(call, 1000), rec.Duration.Round(time.Millisecond))
	if rec.Denied() {
		return
	}
	for _, row := range session.EnvironmentRows(rec.Environment) {
		fmt.Fprintf(r.printer.stderr, "  %s\n", termtext.Line(row, maxEnvRow))
	}
}

// Waiting implements [session.Reporter]. Whether loading takes long depends on what else
// the machine does, so only a person who waits is told.
func (r *reporter) Waiting(provider string, compiled bool) {
	switch {
	case compiled:
		fmt.Fprintf(r.printer.stderr, "compiling provider %s, once\n", provider)
	case r.onTerminal():
		fmt.Fprintf(r.printer.stderr, "loading provider %s\n", provider)
	}
}

// Confined implements [session.Reporter].
func (r *reporter) Confined(to string) {
	if r.verbose {
		fmt.Fprintf(r.printer.stderr, "commands are confined: %s\n", termtext.Line(to, 1000))
	}
}

// Progress implements [session.Reporter].
func (r *reporter) Progress() io.Writer {
	if r.printer.workflow == nil && r.onTerminal() {
		return r.stderr
	}
	return r.printer.stderr
}

func (r *reporter) onTerminal() bool { return term.IsTerminal(int(r.stderr.Fd())) }
