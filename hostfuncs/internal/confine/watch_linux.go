package confine

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Watch tells what the programs that are started from a thread use: the kernel
// tells it of each call that names a file or port, and has the call wait until it
// was looked at.
//
// It is an observer, and no guard. It looks at what is named before the call, and
// lets the call go on whatever that is; a program that puts another name in its
// place meanwhile, or that uses io_uring, isn't seen to use what it does, and
// gains nothing by it.
type Watch struct {
	fd   int
	self int // the thread, whose own calls are none of the program's
	seen map[Use]bool
}

// NewWatch has the kernel tell of the calling thread, and of every process that
// is started from it. Nothing is refused to them. Who isn't root has to give up
// for them what would gain rights, such as sudo, as a confined program does.
//
// # Notes
//
// The caller has locked its goroutine to the thread, never unlocks it, and starts
// the program from there. [Watch.Serve] has to run before the thread makes any
// call that names a file: such calls wait for it. While a program is being
// started, no goroutine can be moved or stopped for the garbage collector: the
// thread that waits for the new program can't, and the new program waits for
// Serve. So at least two goroutines have to be able to run, and the collector has
// to be off.
//
// # Errors
//
// An error where the system can't tell; nothing was changed but for the right to
// gain rights.
func NewWatch() (*Watch, error) {
	if auditArch == 0 || !hasAnswer(unix.SECCOMP_RET_USER_NOTIF) {
		return nil, errors.New("this takes Linux 5.9 with seccomp notifications, on an amd64 or arm64 processor")
	}
	var calls []call
	for number := range watched {
		calls = append(calls, call{number: number, answer: unix.SECCOMP_RET_USER_NOTIF})
	}
	fd, errno := setListener(compile(calls, allow))
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("setting no_new_privs: %w", err)
		}
		fd, errno = setListener(compile(calls, allow))
	}
	if errno != 0 {
		return nil, fmt.Errorf("installing a seccomp filter: %w", errno)
	}
	return &Watch{fd: fd, self: unix.Gettid(), seen: make(map[Use]bool)}, nil
}

// Serve calls used with each use, once, before the call that it is of goes on. It
// calls more, once, when there are more than [MaxUses]. It returns when no process
// is left to watch, and is called once, from a thread that isn't watched.
func (w *Watch) Serve(used func(Use), more func()) {
	serve(w.fd, func(n notification) {
		if int(n.pid) != w.self {
			for _, u := range usesOf(n) {
				w.tell(u, used, more)
			}
		}
		_ = notifyIoctl(w.fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{
			id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE,
		}))
	})
}

func (w *Watch) tell(u Use, used func(Use), more func()) {
	switch {
	case w.seen[u]:
		return
	case len(w.seen) < MaxUses:
		used(u)
	case len(w.seen) == MaxUses:
		// Marked, so that it is told once.
		more()
		u = Use{}
	default:
		return
	}
	w.seen[u] = true
}

// usesOf is what a call is about to use. A call of another kind of processor has
// other numbers.
func usesOf(n notification) []Use {
	look := watched[uintptr(n.number)]
	if look == nil || n.arch != auditArch {
		return nil
	}
	return look(looker{thread: int(n.pid), args: n.args})
}
