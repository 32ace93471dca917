package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyCheckCmd struct {
	Files  []string `arg:"" name:"file" help:"Policies."`
	Strict bool     `help:"Fail on warnings too."`
	JSON   bool     `name:"json" help:"Print the result as JSON."`
}

func (policyCheckCmd) Help() string {
	return `Finds rules without effect, rules that do not limit what a program runs, rules that
grant commands nothing, rules that let commands write files that restrict the next
run, and rules that give away the machine. The exit code is 1 for an error, with
--strict also for a warning, and 78 if a file is not a policy. Findings that a
policy accepts, with a reason, are shown and do not count.

Examples:
  stagecraft policy check stagecraft.policy.yml
  stagecraft policy check --strict stagecraft.policy.yml ceiling.yml`
}

// findingJSON is printed by --json; fields are only added.
type findingJSON struct {
	File     string        `json:"file"`
	Line     int           `json:"line"`
	Column   int           `json:"column"`
	Name     string        `json:"name"`
	Severity string        `json:"severity"`
	Kind     string        `json:"kind"` // the name, for readers of earlier versions
	Provider string        `json:"provider"`
	Key      string        `json:"key"`
	Rule     string        `json:"rule"`
	Message  string        `json:"message"`
	Hint     string        `json:"hint,omitempty"`
	Accepted *acceptedJSON `json:"accepted,omitempty"`
}

// acceptedJSON is where and why a policy accepts a finding.
type acceptedJSON struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Reason string `json:"reason"`
}

// Run is called by kong.
func (c policyCheckCmd) Run(a *app) error {
	findings := []findingJSON{}
	for _, file := range c.Files {
		policy, err := session.ReadPolicy(file, capability.Project)
		if err != nil {
			return err
		}
		for _, f := range explain.Check(policy, session.DirectoriesBeside(file)) {
			findings = append(findings, findingOf(f))
		}
	}
	err := a.printer.resultAs(c.JSON, findings, findingsText(findings))
	if err == nil && slices.ContainsFunc(findings, c.fails) {
		err = errFindings
	}
	return err
}

// fails reports whether the check fails because of a finding.
func (c policyCheckCmd) fails(f findingJSON) bool {
	fatal := f.Severity == string(explain.SeverityError) || c.Strict && f.Severity == string(explain.SeverityWarning)
	return fatal && f.Accepted == nil
}

func findingOf(f explain.Finding) findingJSON {
	out := findingJSON{
		File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column, Name: string(f.Name), Severity: string(f.Severity), Kind: string(f.Name),
		Provider: f.Provider, Key: f.Key, Rule: f.Rule, Message: f.Message, Hint: f.Hint,
	}
	if a := f.Accepted; a != nil {
		out.Accepted = &acceptedJSON{a.Pos.Line, a.Pos.Column, a.Reason}
	}
	return out
}

func findingsText(findings []findingJSON) string {
	if len(findings) == 0 {
		return "no findings\n"
	}
	var b strings.Builder
	counts := make(map[string]int)
	for _, f := range findings {
		severity, hint := f.Severity, f.Hint
		if f.Accepted != nil {
			severity = "accepted"
			hint = fmt.Sprintf("%s, %s:%d:%d", termtext.Line(f.Accepted.Reason, 1000), f.File, f.Accepted.Line, f.Accepted.Column)
		}
		counts[severity]++
		fmt.Fprintf(&b, "%s:%d:%d: %s: %s [%s]\n%s", f.File, f.Line, f.Column, severity, termtext.Line(f.Message, 1000), f.Name, indent(termtext.Clean(hint)))
	}
	fmt.Fprintf(&b, "\n%s, %s, %s, %d accepted\n", counted(counts["error"], "error"), counted(counts["warning"], "warning"), counted(counts["note"], "note"), counts["accepted"])
	return b.String()
}
