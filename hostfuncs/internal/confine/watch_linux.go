package confine

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// Watch reports what programs use: the kernel reports each call that names a file or
// port, and suspends the call meanwhile.
//
// It observes and does not restrict. It inspects the name before the call, and always
// continues the call. If a program replaces the name meanwhile, or uses io_uring, its
// use is not reported; it gains nothing by that.
type Watch struct {
	listener *os.File
	seen     map[Use]bool
}

// PrepareWatch returns what a process needs to have itself, and every process that it
// starts, watched. They are not restricted; but unless we are root, programs that gain
// rights, such as sudo, fail, as in a confined command.
//
// # Errors
//
// An error if the system does not support it.
func PrepareWatch() (*guard.Restrictions, error) {
	if auditArch == 0 || !hasAnswer(unix.SECCOMP_RET_USER_NOTIF) {
		return nil, errors.New("this needs Linux 5.9 with seccomp notifications, on an amd64 or arm64 processor")
	}
	var calls []call
	for number := range watched {
		calls = append(calls, call{number: number, answer: unix.SECCOMP_RET_USER_NOTIF})
	}
	return &guard.Restrictions{
		NoNewPrivs: !mayFilter(), Optional: true,
		Filter: encodeFilter(compile(calls, allow)), Flags: listenerFlags(),
	}, nil
}

// mayFilter reports whether we may install a filter without no_new_privs.
func mayFilter() bool {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	return unix.Capget(&head, &sets[0]) == nil && sets[0].Effective>>unix.CAP_SYS_ADMIN&1 == 1
}

// NewWatch returns a watch of the processes whose filter reports to the listener.
func NewWatch(listener *os.File) *Watch {
	return &Watch{listener: listener, seen: make(map[Use]bool)}
}

// Serve calls used once for each use, before the system call continues. It calls more
// once if there are more than [MaxUses]. It returns when no watched process is left or
// the listener is closed. It is called once.
func (w *Watch) Serve(used func(Use), more func()) {
	serve(w.listener, func(n notification) {
		for _, u := range usesOf(n) {
			w.report(u, used, more)
		}
		_ = notify(w.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{
			id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE,
		}))
	})
}

func (w *Watch) report(u Use, used func(Use), more func()) {
	switch {
	case w.seen[u]:
		return
	case len(w.seen) < MaxUses:
		used(u)
	case len(w.seen) == MaxUses:
		// Marked, so that more is called once.
		more()
		u = Use{}
	default:
		return
	}
	w.seen[u] = true
}

// usesOf returns what a call is about to use. Other types of processors number calls
// differently.
func usesOf(n notification) []Use {
	look := watched[uintptr(n.number)]
	if look == nil || n.arch != auditArch {
		return nil
	}
	return look(looker{thread: int(n.pid), args: n.args})
}
