package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/cli/browser"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type devCmd struct {
	recordFlags
	Names      []string `arg:"" optional:"" name:"NAME" help:"Run only these processes, and those that they depend on."`
	Open       bool     `help:"Open the backend's first URL in the browser once it is ready."`
	Timestamps bool     `help:"Begin each line of a program with the local time."`
	LogFile    string   `name:"log-file" placeholder:"FILE" help:"Append all lines of all programs to FILE, with time and name, without colours."`
	OnlyOutput string   `name:"only-output" placeholder:"NAME" help:"Show only what the program NAME prints."`
}

func (devCmd) Help() string {
	return `The command runs as if you typed it: it has the terminal, and its exit code becomes
stagecraft's. Ctrl-C asks it to end; what still runs after 10 s, or at a second
Ctrl-C, is killed. All signals except those of job control are passed on to it.

Examples:
  stagecraft dev
  stagecraft dev -C services/shop
  stagecraft dev web --open
  stagecraft dev --timestamps --log-file dev.log`
}

// Run is called by kong.
func (c devCmd) Run(ctx context.Context, a *app) error {
	return c.recorded(ctx, a, session.CommandDev, func(opts session.Options) error {
		opts.Processes = c.Names
		if c.Open {
			opts.OpenURL = openURL
		}
		opts.Output = session.OutputOptions{Timestamps: c.Timestamps, Only: c.OnlyOutput, LogFile: c.LogFile}
		s, err := a.open(opts)
		if err != nil {
			return err
		}
		if s.Policy() == nil && len(a.ceilings) == 0 && a.atTerminal() {
			fmt.Fprintln(a.printer.stderr, "not confined: no policy; stagecraft init --only-policy writes one")
		}
		return s.Dev(ctx)
	})
}

// openURL opens a URL in the browser. What the browser prints is not part of the run.
func openURL(url string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	return browser.OpenURL(url)
}
