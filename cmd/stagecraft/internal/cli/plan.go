package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// maxEnvRow bounds a row with names of variables, in characters.
const maxEnvRow = 10_000

// planFlags are the flags of both plans.
type planFlags struct {
	JSON bool   `name:"json" help:"Print the plan as JSON."`
	Out  string `placeholder:"FILE" help:"Write the plan to FILE."`
}

const planHelp = `Runs the provider without effects; each call is answered as if it had worked.
Prints the calls in order, with the decision of each policy. The exit code is 3 if
a call would be denied.
`

type planDevCmd struct{ planFlags }

func (planDevCmd) Help() string {
	return planHelp + `
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
	Push bool     `help:"Also push the image to its registry."`
	builderFlags
}

func (planBuildCmd) Help() string {
	return planHelp + `
Examples:
  stagecraft plan build
  stagecraft plan build --out plan.json && stagecraft build --plan plan.json`
}

// Run is called by kong.
func (c planBuildCmd) Run(ctx context.Context, a *app) error {
	options, err := a.options(), error(nil)
	if options.Builds, err = c.settings(a, further(c.Tag)); err != nil {
		return err
	}
	return c.run(ctx, a, session.CommandBuild, session.BuildOptions{Tag: first(c.Tag), Push: c.Push}, options)
}

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
		data, err := marshal(plan, "  ")
		if err != nil {
			return err
		}
		if err := writeFile("--out", f.Out, data); err != nil {
			return err
		}
	}
	if err := a.printer.resultAs(f.JSON, plan, planText(plan)); err != nil {
		return err
	}
	switch {
	case !plan.Allowed:
		return errWouldBeDenied
	case plan.Failure != nil:
		return &abi.Error{Code: abi.Code(plan.Failure.Code), Message: "the provider would fail: " + plan.Failure.Message}
	}
	return nil
}

// planText is a plan as text.
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
		for _, layer := range step.Layers {
			fmt.Fprintf(&b, "     %s\n", layerText(layer))
		}
	}
	if p.Failure != nil {
		fmt.Fprintf(&b, "\nthen the provider would fail: %s\n", termtext.Line(p.Failure.Message, 2000))
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
		return "no steps"
	case denied > 0:
		return fmt.Sprintf("%s, %d of them denied", counted(len(p.Steps), "step"), denied)
	}
	return counted(len(p.Steps), "step") + ", all allowed"
}

// counted is a number of things, such as "2 steps".
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
		if step.Exec.Unchanged {
			step.Unknown = nil // it does not run
		}
	}
	if step.Build != nil {
		rows = buildRows(step)
	}
	for _, unknown := range step.Unknown {
		rows = append(rows, "unknown until it runs: "+unknown)
	}
	if step.Failure != nil {
		rows = append(rows, "would fail: "+step.Failure.Message)
	}
	return append(rows, verdict(step.Allowed))
}

func execRows(step session.PlannedStep) []string {
	rows := append([]string{"directory " + step.Exec.Dir}, session.EnvironmentRows(step.Environment)...)
	if step.Exec.Stdin != nil {
		rows = append(rows, "reads standard input from the provider")
	}
	if step.Exec.Unchanged {
		rows = append(rows, "does not run: it succeeded earlier with the same input")
	}
	if step.Exec.Name != "" {
		rows = append(rows, "its output is marked "+step.Exec.Name)
	}
	if step.Exec.Ready != "" {
		rows = append(rows, "ready: "+step.Exec.Ready)
	}
	if step.Exec.Interactive {
		rows = append(rows, "receives Ctrl-C itself (interactive)")
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
		rows = append(rows, "arguments "+joinedStrings(x.Args))
	}
	if len(x.Secrets) > 0 {
		rows = append(rows, "secrets "+joinedStrings(x.Secrets))
	}
	for _, row := range []struct {
		name   string
		values []string
	}{
		{"target", []string{x.Target}},
		{"network", []string{x.Network}},
		{"platforms", x.Platforms},
		{"base images", x.Bases},
		{"base layouts", x.Layouts},
		{"syntax", []string{x.Syntax}},
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

func joinedStrings[V fmt.Stringer](values []V) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, v.String())
	}
	return strings.Join(texts, ", ")
}

// size is a number of bytes, such as "1.5 MB".
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
