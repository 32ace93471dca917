package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/atomicfile"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// maxEnvRow is how much is shown of the names of variables, in characters.
const maxEnvRow = 10_000

// planFlags are what both kinds of plans can be asked for.
type planFlags struct {
	JSON bool   `name:"json" help:"Print the plan as JSON."`
	Out  string `placeholder:"FILE" help:"Write the plan to FILE."`
}

type planDevCmd struct{ planFlags }

func (planDevCmd) Help() string {
	return `The provider runs with every effect withheld, and is answered as if each had
worked. What it would have done is printed in order, with what the policies say
of it. The exit code is 3 when something would be denied.

Example:
  stagecraft plan dev`
}

// Run is called by kong.
func (c planDevCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, session.CommandDev, session.BuildOptions{}, a.options())
}

type planBuildCmd struct {
	planFlags
	Tag  []string `sep:"none" placeholder:"REF" help:"Reference of the image; repeatable; default as for build."`
	Push bool     `help:"Send the image to its registry as well."`
	builderFlags
}

func (planBuildCmd) Help() string {
	return `The provider runs with every effect withheld, and is answered as if each had
worked. What it would have done is printed in order, with what the policies say
of it. The exit code is 3 when something would be denied.

Examples:
  stagecraft plan build
  stagecraft plan build --out plan.json && stagecraft build --plan plan.json`
}

// Run is called by kong.
func (c planBuildCmd) Run(ctx context.Context, a *app) error {
	options, err := a.options(), error(nil)
	if options.Builds, err = c.builds(a, further(c.Tag)); err != nil {
		return err
	}
	return c.run(ctx, a, session.CommandBuild, session.BuildOptions{Tag: first(c.Tag), Push: c.Push}, options)
}

// errWouldBeDenied ends a plan whose output says what would be.
var errWouldBeDenied = errors.New("it would be denied")

func (f planFlags) run(ctx context.Context, a *app, command string, opts session.BuildOptions, options session.Options) error {
	options.Own = append(options.Own, f.Out)
	s, err := a.open(options)
	if err != nil {
		return err
	}
	plan, err := s.Plan(ctx, command, opts)
	if err != nil {
		return err
	}
	if f.Out != "" {
		var b bytes.Buffer
		if err := writeJSON(&b, plan, "  "); err != nil {
			return err
		}
		if err := atomicfile.Write(f.Out, b.Bytes()); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if f.JSON {
		err = a.printer.resultJSON(plan)
	} else {
		err = a.printer.result(planText(plan))
	}
	switch {
	case err != nil:
		return err
	case !plan.Allowed:
		return errWouldBeDenied
	case plan.Failure != nil:
		return &abi.Error{Code: abi.Code(plan.Failure.Code), Message: "the provider ends with an error: " + plan.Failure.Message}
	}
	return nil
}

// planText shows a plan to people.
func planText(p *session.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s by provider %s", p.Command, p.Provider.ID)
	if p.Tag != "" {
		b.WriteString(", as " + termtext.Line(p.Tag, 1000))
	}
	if p.NoCache {
		b.WriteString(", with --no-cache")
	}
	if p.Pull {
		b.WriteString(", with --pull")
	}
	b.WriteString("; nothing is run\n")
	for i, step := range p.Steps {
		fmt.Fprintf(&b, "\n%d. %s\n", i+1, termtext.Line(step.Asked, 2000))
		for _, row := range stepRows(step) {
			fmt.Fprintf(&b, "   %s\n", termtext.Line(row, maxEnvRow))
		}
		for _, said := range step.Layers {
			fmt.Fprintf(&b, "     %s\n", saidText(said))
		}
	}
	if p.Failure != nil {
		fmt.Fprintf(&b, "\nthen the provider ends with an error: %s\n", termtext.Line(p.Failure.Message, 2000))
	}
	fmt.Fprintf(&b, "\n%s\n", planVerdict(p))
	return b.String()
}

func planVerdict(p *session.Plan) string {
	denied := 0
	for _, step := range p.Steps {
		if !step.Allowed {
			denied++
		}
	}
	switch {
	case len(p.Steps) == 0:
		return "it would do nothing"
	case denied > 0:
		return fmt.Sprintf("%s, %d of them denied", counted(len(p.Steps), "step"), denied)
	}
	return counted(len(p.Steps), "step") + ", all allowed"
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func stepRows(step session.PlannedStep) []string {
	var rows []string
	if step.Exec != nil {
		rows = execRows(step)
	}
	if step.Build != nil {
		rows = buildRows(step)
	}
	if step.Exec != nil && step.Exec.Unchanged {
		step.Unknown = nil // nothing of it runs
	}
	for _, unknown := range step.Unknown {
		rows = append(rows, "not known before it runs: "+unknown)
	}
	if step.Failure != nil {
		rows = append(rows, "it can't work: "+step.Failure.Message)
	}
	return append(rows, verdict(step.Allowed))
}

func execRows(step session.PlannedStep) []string {
	rows := append([]string{"directory " + step.Exec.Dir}, session.EnvironmentRows(step.Environment)...)
	if step.Exec.Stdin != nil {
		rows = append(rows, "reads what it is given on standard input")
	}
	if step.Exec.Unchanged {
		rows = append(rows, "does not run: it succeeded with the same input before")
	}
	if step.Exec.Interactive {
		rows = append(rows, "has Ctrl-C to itself (interactive)")
	}
	return rows
}

func buildRows(step session.PlannedStep) []string {
	x := step.Build
	rows := []string{
		fmt.Sprintf("context %s: %s, %s", x.Context, counted(x.Files, "file"), size(x.Bytes)),
		"Dockerfile " + x.Dockerfile,
	}
	if len(x.Args) > 0 {
		rows = append(rows, "arguments "+valueNames(x.Args))
	}
	if len(x.Secrets) > 0 {
		rows = append(rows, "secrets "+valueNames(x.Secrets))
	}
	for _, row := range []struct {
		name   string
		values []string
	}{
		{"target", []string{x.Target}},
		{"network", []string{x.Network}},
		{"platforms", x.Platforms},
		{"on", x.Bases},
		{"from", x.Layouts},
		{"read by", []string{x.Syntax}},
		{"fetches", x.Remotes},
		{"cache from", x.CacheFrom},
		{"cache to", x.CacheTo},
		{"engine", []string{x.Engine}},
		{"written to", x.Outputs},
	} {
		if text := strings.Join(row.values, ", "); text != "" {
			rows = append(rows, row.name+" "+text)
		}
	}
	if x.Load {
		rows = append(rows, "loaded into the Docker engine")
	}
	return rows
}

func valueNames[V fmt.Stringer](values []V) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.String()
	}
	return strings.Join(names, ", ")
}

// size writes bytes as people read them.
func size(n int64) string {
	value, units := float64(n), []string{"B", "kB", "MB", "GB", "TB"}
	for value >= 1000 && len(units) > 1 {
		value, units = value/1000, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[0])
}
