// Command stagecraft-sandbox is the process in which a provider's module runs, as
// a program of its own. The released program stagecraft carries it, and executes
// it with its connection.
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
