package confine

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
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

// looker inspects one call before the kernel makes it.
type looker struct {
	thread int
	args   [6]uint64
}

// watched are the calls that name a file or port, with what each one uses.
var watched = watchedCalls()

func watchedCalls() map[uintptr]func(looker) []Use {
	calls := map[uintptr]func(looker) []Use{
		unix.SYS_OPENAT:    func(l looker) []Use { return l.open(l.at(0, 1), l.args[2]) },
		unix.SYS_OPENAT2:   func(l looker) []Use { return l.open(l.at(0, 1), l.number(2)) },
		unix.SYS_EXECVE:    func(l looker) []Use { return l.run(l.name(0), true) },
		unix.SYS_EXECVEAT:  func(l looker) []Use { return l.run(l.atOr(0, 1, 4), l.args[4]&unix.AT_SYMLINK_NOFOLLOW == 0) },
		unix.SYS_TRUNCATE:  func(l looker) []Use { return l.open(l.name(0), unix.O_WRONLY) },
		unix.SYS_MKDIRAT:   func(l looker) []Use { return l.mkdir(l.at(0, 1)) },
		unix.SYS_MKNODAT:   func(l looker) []Use { return l.make(l.at(0, 1)) },
		unix.SYS_SYMLINKAT: func(l looker) []Use { return l.make(l.at(1, 2)) },
		unix.SYS_UNLINKAT:  func(l looker) []Use { return l.remove(l.at(0, 1)) },
		unix.SYS_LINKAT: func(l looker) []Use {
			return l.link(l.atOr(0, 1, 4), l.at(2, 3), l.args[4]&unix.AT_SYMLINK_FOLLOW != 0)
		},
		unix.SYS_RENAMEAT2: func(l looker) []Use { return l.rename(l.at(0, 1), l.at(2, 3)) },
		unix.SYS_CONNECT:   looker.connect,
		unix.SYS_BIND:      looker.bind,
	}
	maps.Copy(calls, archWatched)
	return calls
}

// open is for all calls that give access to a file's content.
func (l looker) open(n named, flags uint64) []Use {
	const tempFile = unix.O_TMPFILE &^ unix.O_DIRECTORY
	exclusive := flags&unix.O_CREAT != 0 && flags&unix.O_EXCL != 0
	at, info, ok := l.lookUp(n, flags&unix.O_NOFOLLOW == 0 && !exclusive)
	writes := flags&unix.O_ACCMODE != unix.O_RDONLY || flags&unix.O_TRUNC != 0
	switch {
	case !ok || flags&unix.O_PATH != 0:
		return nil
	case info == nil && flags&unix.O_CREAT != 0:
		return []Use{{Kind: UseMake, Path: path.Dir(at)}}
	case info == nil || exclusive:
		return nil
	case info.IsDir() && flags&tempFile != 0:
		return []Use{{Kind: UseMake, Path: at}}
	case info.IsDir() && writes, info.Mode()&fs.ModeSymlink != 0:
		return nil // the call fails
	case info.IsDir():
		return []Use{{Kind: UseList, Path: at}}
	case writes:
		return []Use{{Kind: UseWrite, Path: at}}
	}
	return []Use{{Kind: UseRead, Path: at}}
}

// run is for a program, and its interpreter if it is a script.
func (l looker) run(n named, follow bool) []Use {
	at, info, ok := l.lookUp(n, follow)
	if !ok || info == nil || !info.Mode().IsRegular() {
		return nil
	}
	uses := []Use{{Kind: UseRead, Path: at}}
	if name := interpreter(at); name != "" {
		if at, info, ok := l.lookUp(named{path: name}, true); ok && info != nil {
			uses = append(uses, Use{Kind: UseRead, Path: at})
		}
	}
	return uses
}

func (l looker) mkdir(n named) []Use {
	at, info, ok := l.lookUp(n, false)
	if !ok || info != nil {
		return nil
	}
	return []Use{{Kind: UseMkdir, Path: at}}
}

func (l looker) make(n named) []Use { return l.change(n, false) }

func (l looker) remove(n named) []Use { return l.change(n, true) }

// change is for calls that create a name, or remove an existing one.
func (l looker) change(n named, exists bool) []Use {
	at, info, ok := l.lookUp(n, false)
	if !ok || (info != nil) != exists {
		return nil
	}
	return []Use{{Kind: UseMake, Path: path.Dir(at)}}
}

// link gives a file a second name. Across directories, this needs the right to move
// files in both.
func (l looker) link(from, to named, follow bool) []Use {
	at, info, ok := l.lookUp(from, follow)
	uses := l.make(to)
	if !ok || info == nil || uses == nil {
		return nil
	}
	if dir := path.Dir(at); dir != uses[0].Path {
		uses = append(uses, Use{Kind: UseMake, Path: dir})
	}
	return uses
}

func (l looker) rename(from, to named) []Use {
	uses := l.remove(from)
	at, _, ok := l.lookUp(to, false)
	if uses == nil || !ok {
		return nil
	}
	return append(uses, Use{Kind: UseMake, Path: path.Dir(at)})
}

// number reads the first number of a structure that an argument points to.
func (l looker) number(arg int) uint64 {
	data := make([]byte, 8)
	if !readMemory(l.thread, l.args[arg], data) {
		return unix.O_PATH // not a use
	}
	return binary.NativeEndian.Uint64(data)
}
