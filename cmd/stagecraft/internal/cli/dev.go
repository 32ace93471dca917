package cli

import (
	"context"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

type devCmd struct{ recordFlags }

func (devCmd) Help() string {
	return `The command runs as if you typed it: it has the terminal, and its exit code becomes
stagecraft's. Ctrl-C asks it to end; what still runs after 10 s, or at a second
Ctrl-C, is killed. All signals except those of job control are passed on to it.

Examples:
  stagecraft dev
  stagecraft dev -C services/shop`
}

// Run is called by kong.
func (c devCmd) Run(ctx context.Context, a *app) error {
	return c.recorded(ctx, a, session.CommandDev, func(opts session.Options) error {
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
