// Command stagecraft-schema checks a provider's settings by the provider's schema. The
// released stagecraft embeds it, and starts it with a connection as standard input and
// output.
package main

import (
	"fmt"
	"os"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/schema"
)

func main() {
	schema.Main()
	fmt.Fprintln(os.Stderr, "error: stagecraft-schema is started by stagecraft")
	os.Exit(80)
}
