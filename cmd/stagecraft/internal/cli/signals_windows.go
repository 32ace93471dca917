package cli

import "os"

// fatal: no signal makes a trace here.
var fatal []os.Signal

// passed: there are no signals but those that end a run.
func passed() []os.Signal { return nil }
