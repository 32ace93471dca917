package confine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

var errFirstThread = errors.New("cannot confine the first thread of a process")

// Apply confines the calling thread permanently, and every process that is started
// from it. The open files among programs may be run too, whatever their path.
//
// # Notes
//
// The caller has locked its goroutine to the thread, never unlocks it, and starts the
// program from there. Other threads of the process are not confined, so that they can
// supervise the program. The first thread of the process is refused: the kernel takes
// its rights for those of the process, so the program could signal its supervisor.
//
// For the kernel, the thread is one of the confined processes. So that these can
// neither read our memory through it nor end us, the whole process is made undumpable
// (PR_SET_DUMPABLE), and signals to the thread are refused.
//
// No started program gains rights, so sudo and ping fail. One that runs as root keeps
// few of root's capabilities. One for another type of processor than ours, such as a
// 32-bit one, is killed with SIGSYS.
//
// If connections to the Sockets of the rules need a [Broker], it is returned, and must
// serve before the program connects to anything.
//
// # Errors
//
// A [*MissingError] if the system does not support all rules, unless they are best
// effort; nothing has changed then. After any other error the thread may be partly
// confined and must not be used.
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
	// Opened before the right to do so is given up.
	ruleset, err := newRuleset(r, s.Landlock, programs...)
	if err != nil {
		return nil, err
	}
	defer ruleset.close()
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("hide our own memory: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("set no_new_privs: %w", err)
	}
	if err := ruleset.restrictThread(); err != nil {
		return nil, err
	}
	if !s.Seccomp {
		return nil, nil
	}
	return installFilter(r, s, me)
}

// kept are the capabilities that root keeps: for what tools do to files as root,
// which Landlock restricts or any file's owner may do, for becoming another user, and
// for ports below 1024. All others bypass the rules, such as CAP_PERFMON, which reads
// the memory of any process, CAP_DAC_READ_SEARCH, which opens files by number, and
// CAP_MKNOD, which gives access to disks; or they concern the whole system.
const kept uint64 = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER | 1<<unix.CAP_FSETID |
	1<<unix.CAP_SETGID | 1<<unix.CAP_SETUID | 1<<unix.CAP_NET_BIND_SERVICE

// dropCapabilities drops all other capabilities of the thread, and from the set that
// root regains by executing a program.
func dropCapabilities() error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&head, &sets[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	if sets[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		if err := dropBounding(); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient capabilities: %w", err)
	}
	for i := range sets {
		keep := uint32(kept >> (32 * i))
		sets[i].Effective &= keep
		sets[i].Permitted &= keep
		sets[i].Inheritable &= keep
	}
	if err := unix.Capset(&head, &sets[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// dropBounding stops at the first capability that the kernel does not know.
func dropBounding() error {
	for c := range uintptr(64) {
		if kept>>c&1 == 1 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("drop capability %d permanently: %w", c, err)
		}
	}
	return nil
}
