package confine

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Watch reports what the programs that are started from a thread use: the kernel
// reports each call that names a file or port, and suspends the call meanwhile.
//
// It observes and does not restrict. It inspects the name before the call, and always
// continues the call. If a program replaces the name meanwhile, or uses io_uring, its
// use is not reported; it gains nothing by that.
type Watch struct {
	fd   int
	self int // the thread, whose own calls are not reported
	seen map[Use]bool
}

// NewWatch watches the calling thread and every process that is started from it. They
// are not restricted; but unless we are root, programs that gain rights, such as
// sudo, fail, as in a confined command.
//
// # Notes
//
// The caller has locked its goroutine to the thread, never unlocks it, and starts the
// program from there. [Watch.Serve] must run before the thread makes any call that
// names a file, because such calls wait for it. While a program is being started, its
// thread cannot be preempted, and the new program waits for Serve. So at least two
// goroutines must be able to run, and the garbage collector must be off.
//
// # Errors
//
// An error if the system does not support it; only no_new_privs may be set then.
func NewWatch() (*Watch, error) {
	if auditArch == 0 || !hasAnswer(unix.SECCOMP_RET_USER_NOTIF) {
		return nil, errors.New("this needs Linux 5.9 with seccomp notifications, on an amd64 or arm64 processor")
	}
	var calls []call
	for number := range watched {
		calls = append(calls, call{number: number, answer: unix.SECCOMP_RET_USER_NOTIF})
	}
	fd, errno := setListener(compile(calls, allow))
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("set no_new_privs: %w", err)
		}
		fd, errno = setListener(compile(calls, allow))
	}
	if errno != 0 {
		return nil, fmt.Errorf("install a seccomp filter: %w", errno)
	}
	return &Watch{fd: fd, self: unix.Gettid(), seen: make(map[Use]bool)}, nil
}

// Serve calls used once for each use, before the system call continues. It calls more
// once if there are more than [MaxUses]. It returns when no watched process is left.
// It is called once, from a thread that is not watched.
func (w *Watch) Serve(used func(Use), more func()) {
	serve(w.fd, func(n notification) {
		if int(n.pid) != w.self {
			for _, u := range usesOf(n) {
				w.report(u, used, more)
			}
		}
		_ = notifyIoctl(w.fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{
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
