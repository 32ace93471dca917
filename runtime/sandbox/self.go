//go:build !helpers || !linux

package sandbox

import (
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/schema"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/worker"
)

// The helper needs nothing of the rest of the program, so it starts before that is
// initialised.
func init() { Main() }

// Main runs a helper, and does not return, if this process was started as one.
// Programs call it first, see session.Main.
func Main() {
	worker.Main()
	schema.Main()
}
