// Command stagecraft runs and builds an application's backend through a
// provider.
package main

import (
	"os"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/cli"
	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/collector"
	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/helpers"
	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/quiet"
	"github.com/stagecraft-dev/stagecraft/providers/builtin"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

func main() {
	session.Main()
	collector.Delay()
	os.Exit(cli.Main(os.Args[1:], cli.System{
		Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), BuiltIns: builtin.Modules(), GuardProgram: helpers.Guard,
		Helper:         sandbox.NewHelper(helpers.Sandbox, helpers.Schema),
		SignalsHandled: quiet.End,
	}))
}
