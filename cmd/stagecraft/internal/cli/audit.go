package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

type auditVerifyCmd struct {
	File string `arg:"" help:"An audit log."`
	Head string `placeholder:"HASH" help:"The hash of a record that was kept elsewhere, and has to be in the log."`
	JSON bool   `name:"json" help:"Print the result as JSON."`
}

func (auditVerifyCmd) Help() string {
	return `Finds records that were changed, taken out, put in or moved, and what a run that
was killed left behind. The exit code is 1 if something is found. That the end of a
log was cut off shows on the machine and for the user that wrote to it, whose
state directory keeps the last head. The hash of the last record is printed: kept
elsewhere, it shows later that the log up to it is the same.

Examples:
  stagecraft audit verify audit.jsonl
  stagecraft audit verify audit.jsonl --head 3f9a...`
}

// Run is called by kong.
func (c auditVerifyCmd) Run(a *app) error {
	known := c.Head == ""
	// What is kept is read first: a log that is written to meanwhile has more.
	end := audit.Heads(userDirectories(a.Environ).heads).End(c.File)
	report, err := audit.Read(c.File, func(r audit.Record) error {
		known = known || r.Hash == c.Head
		end.See(r)
		return nil
	})
	if err != nil {
		return err
	}
	end.Finish(&report)
	if !known {
		report.Miss("no record has the hash " + c.Head)
	}
	if c.JSON {
		err = a.printer.resultJSON(verified{report, end.State, end.Earlier})
	} else {
		err = a.printer.result(verifyText(report) + c.endText(end))
	}
	if err == nil && len(report.Findings) > 0 {
		err = errFound
	}
	return err
}

// verified is a report with what is known of the log's end.
type verified struct {
	audit.Report
	End     audit.EndState `json:"end"`
	Earlier string         `json:"earlier_head,omitempty"`
}

// endText says whether anybody would notice that the log's end was cut off.
func (c auditVerifyCmd) endText(end *audit.End) string {
	switch {
	case end.State == audit.EndKept && end.Earlier != "":
		return "end checked: the log has the last head that is kept on this machine; an earlier log at this path had the head " + end.Earlier + "\n"
	case end.State == audit.EndKept:
		return "end checked: the log has the last head that is kept on this machine\n"
	case end.State == audit.EndCut:
		return "end cut off: if that was meant, remove " + end.File + "\n"
	case end.State == audit.EndOther:
		return "end not checked: the head " + end.Last + ", kept for this path, is of another log\n"
	case c.Head == "":
		return "end not checked: no head of this log is kept on this machine; if you have one, give it with --head\n"
	}
	return ""
}

func verifyText(report audit.Report) string {
	var b strings.Builder
	for _, f := range report.Findings {
		if f.Line > 0 {
			fmt.Fprintf(&b, "line %d: ", f.Line)
		}
		b.WriteString(f.Text + "\n")
	}
	if report.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", report.More)
	}
	state := "whole"
	if len(report.Findings) > 0 {
		state = "not whole"
	}
	fmt.Fprintf(&b, "%s: %s of %s\nhead %s\n", state, counted(report.Records, "record"), counted(report.Runs, "run"), report.Head)
	return b.String()
}

type auditShowCmd struct {
	File string `arg:"" help:"An audit log."`
}

func (auditShowCmd) Help() string {
	return `Shows each run: under which policies, which calls, what was decided on them, and
when they took place.

Example:
  stagecraft audit show audit.jsonl`
}

// Run is called by kong.
func (c auditShowCmd) Run(a *app) error {
	report, records, err := readAudit(c.File)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := audit.Show(&b, report, records); err != nil {
		return err
	}
	return a.printer.result(b.String())
}

type auditReportCmd struct {
	File string `arg:"" help:"An audit log."`
	HTML string `name:"html" required:"" placeholder:"OUT" help:"Write the page to OUT."`
}

func (auditReportCmd) Help() string {
	return `Makes one page that needs nothing else: what ran, in which order and how long,
what was denied and why, under which policies.

Example:
  stagecraft audit report audit.jsonl --html report.html`
}

// Run is called by kong.
func (c auditReportCmd) Run(*app) error {
	report, records, err := readAudit(c.File)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := audit.HTML(&b, report, records); err != nil {
		return err
	}
	if err := atomicfile.Write(c.HTML, b.Bytes()); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	return nil
}

func readAudit(file string) (audit.Report, []audit.Record, error) {
	var records []audit.Record
	report, err := audit.Read(file, func(r audit.Record) error {
		records = append(records, r)
		return nil
	})
	return report, records, err
}
