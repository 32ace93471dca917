package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

type auditVerifyCmd struct {
	File string `arg:"" help:"An audit log."`
	Head string `placeholder:"HASH" help:"The hash of a record, kept elsewhere, that must be in the log."`
	JSON bool   `name:"json" help:"Print the result as JSON."`
}

func (auditVerifyCmd) Help() string {
	return `Finds records that were changed, removed, inserted or moved, and incomplete records
of a killed run. The exit code is 1 if there are findings. A cut-off end is found on
the machine and by the user that wrote the log, in whose state directory the last
head is kept. The hash of the last record is printed: kept elsewhere, it proves later
that the log up to it is unchanged.

Examples:
  stagecraft audit verify audit.jsonl
  stagecraft audit verify audit.jsonl --head 3f9a...`
}

// Run is called by kong.
func (c auditVerifyCmd) Run(a *app) error {
	known := c.Head == ""
	// The kept head is read first, because the log may grow meanwhile.
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
	err = a.printer.resultAs(c.JSON, auditJSON{report, end.State, end.Earlier}, auditText(report)+c.endText(end))
	if err == nil && len(report.Findings) > 0 {
		err = errFindings
	}
	return err
}

// auditJSON is a report and the state of the log's end.
type auditJSON struct {
	audit.Report
	End     audit.EndState `json:"end"`
	Earlier string         `json:"earlier_head,omitempty"`
}

// endText says whether the log's end was checked.
func (c auditVerifyCmd) endText(end *audit.End) string {
	switch {
	case end.State == audit.EndKept && end.Earlier != "":
		return "end checked: the log has the last head that is kept on this machine; the head of an earlier log at this path was " + end.Earlier + "\n"
	case end.State == audit.EndKept:
		return "end checked: the log has the last head that is kept on this machine\n"
	case end.State == audit.EndCut:
		return "end cut off: if that was intended, remove " + end.File + "\n"
	case end.State == audit.EndOther:
		return "end not checked: the head " + end.Last + ", kept for this path, belongs to another log\n"
	case c.Head == "":
		return "end not checked: no head of this log is kept on this machine; if you have one, pass it with --head\n"
	}
	return ""
}

func auditText(report audit.Report) string {
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
	return `Prints each run: its policies, and its calls with their decisions and times.

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
	return `Writes one self-contained page: the calls with their order and duration, denials
with their reasons, and policies.

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
	return writeFile("--html", c.HTML, b.Bytes())
}

func readAudit(file string) (audit.Report, []audit.Record, error) {
	var records []audit.Record
	report, err := audit.Read(file, func(r audit.Record) error {
		records = append(records, r)
		return nil
	})
	return report, records, err
}
