//go:build linux || darwin

// Command encore stands in for Encore's command line program in tests: "encore
// version", "run", "secret set" and "build docker". It follows what the real
// one (v1.58.2) was seen to do, flag by flag and message by message, and
// refuses whatever that one refuses. It also refuses what the real one has but
// stagecraft does not use, so that a new use is examined first.
//
// It is built by tests and put into PATH. See [steering] for how a script controls
// it and [call] for what it records; both are files of the state directory, which
// ENCORE_STANDIN_STATE names. Without that variable it ends with exit code 70,
// so that it never stands in by accident; 70 is also its answer to a steering
// file with a mistake.
//
// # Processes
//
// As with the real one, a daemon does the work: it is shared, started by the
// first command that needs it, whose environment it keeps for its life, and
// stays behind. It starts the app, which has the daemon's environment below that
// of its command, runs on for a moment after the command has ended, and listens on
// the port. Both are this program in hidden modes:
//
//   - "encore daemon -f" is the daemon, in the foreground, as with the real one. A
//     script may start it beforehand; it replaces one that runs. Its files in the
//     state directory are daemon.pid, written when it can be used, daemon.lock,
//     daemons.jsonl, a line with the names of its variables for each daemon, and
//     daemon.stop, which ends it and keeps others from starting. It also ends
//     when the state directory is gone, and after a minute in which no command
//     used it.
//   - "encore standin-app" is the app; the daemon alone starts it.
//
// # Places
//
// A command finds the daemon by its own XDG_CACHE_HOME and HOME, and the login,
// a file .auth_token, by ENCORE_CONFIG_DIR, XDG_CONFIG_HOME and HOME, as the real
// one does. The state directory is the machine: it has the one port 9400. A
// command that does not find the daemon starts a second one, which dies on that
// port, says so in its daemon.log, and leaves the command with exit code 0.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// exitStandIn is for mistakes in how the stand-in is used.
const exitStandIn = 70

func main() {
	os.Exit(start(os.Args[1:]))
}

func start(args []string) int {
	if len(args) > 0 && args[0] == appMode {
		return appMain(args[1:])
	}
	state, err := openState()
	if err != nil {
		return misuse(err)
	}
	steer, err := readSteering(state)
	if err != nil {
		return misuse(err)
	}
	c := &call{state: state, steer: steer, argv: append([]string{filepath.Base(os.Args[0])}, args...)}
	return c.dispatch(args)
}

func misuse(err error) int {
	fmt.Fprintln(os.Stderr, "encore stand-in:", err)
	return exitStandIn
}

// fail prints an error as the real one does where standard output is not a
// terminal.
func fail(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "error: "+format+"\n", args...)
	return 1
}
