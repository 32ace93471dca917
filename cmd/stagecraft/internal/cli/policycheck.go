package cli

import (
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type policyCheckCmd struct {
	Files []string `arg:"" name:"file" help:"Policies."`
	JSON  bool     `name:"json" help:"Print the result as JSON."`
}

func (policyCheckCmd) Help() string {
	return `Finds rules that can never match, rules that another one covers, rules that leave
open what a program runs that runs anything, and rules that let commands write
what restricts the next run. The exit code is 1 if
something is found, and 78 if a file is no policy.

Example:
  stagecraft policy check stagecraft.policy.yml`
}

// findingJSON is what --json prints; fields are only ever added.
type findingJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Kind    string `json:"kind"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Run is called by kong.
func (c policyCheckCmd) Run(a *app) error {
	findings := []findingJSON{}
	for _, file := range c.Files {
		policy, err := session.ReadPolicy(file, capability.Project)
		if err != nil {
			return err
		}
		for _, f := range capability.Check(policy) {
			findings = append(findings, findingJSON{
				File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column, Kind: string(f.Kind), Rule: f.Rule, Message: f.Message, Hint: f.Hint,
			})
		}
	}
	var err error
	if c.JSON {
		err = a.printer.resultJSON(findings)
	} else {
		err = a.printer.result(findingsText(findings))
	}
	if err == nil && len(findings) > 0 {
		err = errFound
	}
	return err
}

func findingsText(findings []findingJSON) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s:%d:%d: %s\n%s", f.File, f.Line, f.Column, plaintext.Line(f.Message, 1000), indent(plaintext.Clean(f.Hint)))
	}
	if len(findings) == 0 {
		return "nothing was found\n"
	}
	return b.String()
}
