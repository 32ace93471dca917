package confine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

var errFirstThread = errors.New("the first thread of a process can't be confined")

// Apply holds the calling thread to the rules for good, and with it every
// process that is started from it. The open files among programs may be run too,
// whatever leads to them.
//
// # Notes
//
// The caller has locked its goroutine to the thread, never unlocks it, and
// starts the program from there. Other threads of the process stay as they
// are, so that whoever looks after the program isn't held. The first thread of
// the process is refused: the kernel takes its rights for those of the process,
// and the program could end the one that looks after it.
//
// The thread counts as one of the confined processes, for the kernel. So that
// these can neither read our memory through it nor end us, the whole process is
// made undumpable (PR_SET_DUMPABLE), and signals to the thread are refused.
//
// No program that is started gains rights, so that sudo and ping fail; one
// that runs as root keeps few of root's capabilities; one for another kind of
// processor than ours, such as a 32-bit one, is killed with SIGSYS.
//
// Where connections to the Sockets of the rules take a [Broker], that is
// returned, and has to serve before the program connects to anything.
//
// # Errors
//
// A [*MissingError] when the system doesn't have all that the rules take,
// unless they are best effort; nothing has been changed then. With any other
// error, the thread may be held by half of the rules and is of no use.
func (r Rules) Apply(s Support, programs ...int) (*Broker, error) {
	if missing := r.Missing(s); len(missing) > 0 && !r.BestEffort {
		return nil, &MissingError{Missing: missing}
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	me := self{pid: os.Getpid(), thread: unix.Gettid()}
	if me.pid == me.thread {
		return nil, errFirstThread
	}
	// Opened before any right to do so is given up.
	ruleset, err := newRuleset(r, s.Landlock, programs...)
	if err != nil {
		return nil, err
	}
	defer ruleset.close()
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("hiding our own memory: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("setting no_new_privs: %w", err)
	}
	if err := ruleset.restrictThread(); err != nil {
		return nil, err
	}
	if !s.Seccomp {
		return nil, nil
	}
	return installFilter(r, s, me)
}

// unreachable tells a path that can be no more use to the program than to us.
func unreachable(err error) bool {
	// The first is a link: see Rules.Resolved.
	return errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES)
}
