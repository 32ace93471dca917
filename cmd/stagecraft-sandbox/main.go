// Command stagecraft-sandbox compiles and runs the module of a provider. The released
// stagecraft embeds it, and starts it with a connection as standard input and output.
package main

import (
	"fmt"
	"os"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/worker"
)

func main() {
	worker.Main()
	fmt.Fprintln(os.Stderr, "error: stagecraft-sandbox is started by stagecraft")
	os.Exit(80)
}
