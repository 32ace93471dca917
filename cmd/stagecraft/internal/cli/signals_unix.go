//go:build unix

package cli

import (
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// fatal are the signals that the Go runtime answers with a trace, when another
// process sends them. They are for the programs that run, and end a run without any.
var fatal = []os.Signal{
	unix.SIGQUIT, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS, fatalHere,
}

// ours are the signals that a user can't send us for a program: those that nobody
// can take, those that the Go runtime and this program use themselves, those by
// which the system tells us of what we do, and those of a terminal that we would
// use in the background.
var ours = []syscall.Signal{
	unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGPROF, unix.SIGPIPE, unix.SIGXCPU, unix.SIGXFSZ,
	unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, 32, 33, 34,
}

// lastSignal is the highest number that a signal has on any system.
const lastSignal = 64

// passed are all other signals, which are for the programs that run alone.
func passed() []os.Signal {
	var list []os.Signal
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		if !slices.Contains(ours, sig) && !slices.Contains(fatal, os.Signal(sig)) && !slices.Contains(endings, os.Signal(sig)) {
			list = append(list, sig)
		}
	}
	return list
}
