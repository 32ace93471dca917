package exec

import (
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// sharedDaemons are the arguments of what a tool, by its name, keeps running for
// all of its user's runs, and starts with the first of them: see RATIONALE.md,
// "Why may encore's daemon stay?".
var sharedDaemons = map[string][]string{
	// As of v1.58.2.
	"encore": {"daemon", "-f"},
}

// daemonOf is what a program that was allowed to run may leave behind.
func daemonOf(program string) []process.Leaving {
	args, ok := sharedDaemons[strings.TrimSuffix(filepath.Base(program), ".exe")]
	if !ok {
		return nil
	}
	return []process.Leaving{{Program: program, Args: args}}
}
