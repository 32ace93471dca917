package exec

import (
	"path/filepath"
	"strings"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// daemonsOf are the granted daemons that are of a program.
func (r *Runner) daemonsOf(program string) [][]string {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	var all [][]string
	for _, argv := range r.opts.Daemons {
		if len(argv) > 0 && argv[0] == name {
			all = append(all, argv)
		}
	}
	return all
}

// mayStay lists the daemons that a command may leave running: they run its own program.
func mayStay(x capability.Exec) []process.Daemon {
	var all []process.Daemon
	for _, argv := range x.Daemons {
		all = append(all, process.Daemon{Program: x.Program, Args: argv[1:]})
	}
	return all
}

// Stayed are the processes that commands left running by permission, and that still
// run.
func Stayed() []process.Stayed { return process.StillRunning() }
