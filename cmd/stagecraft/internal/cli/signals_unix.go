//go:build unix

package cli

import (
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// fatal are signals for which the Go runtime prints a trace. They are passed on to
// the programs of a run, and end the run if there are none.
var fatal = []os.Signal{
	unix.SIGQUIT, unix.SIGILL, unix.SIGTRAP, unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS, systemFatal,
}

// notPassed are signals that are not passed on to programs: those that cannot be
// handled, those that the Go runtime and this program use, those that the kernel sends
// because of our own actions, and those of job control.
var notPassed = []syscall.Signal{
	unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGPROF, unix.SIGPIPE, unix.SIGXCPU, unix.SIGXFSZ,
	unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, 32, 33, 34,
}

// lastSignal is the highest signal number of any system.
const lastSignal = 64

// passed returns all other signals, which are only passed on to programs.
func passed() []os.Signal {
	var list []os.Signal
	for sig := syscall.Signal(1); sig <= lastSignal; sig++ {
		if !slices.Contains(notPassed, sig) && !slices.Contains(fatal, os.Signal(sig)) && !slices.Contains(endings, os.Signal(sig)) {
			list = append(list, sig)
		}
	}
	return list
}
