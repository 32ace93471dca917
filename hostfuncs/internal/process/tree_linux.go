package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
	"github.com/stagecraft-dev/stagecraft/internal/children"
)

// orphanParent is the parent of orphans of a tree whose guard was killed.
func orphanParent() int { return os.Getpid() }

// becomeReaper makes orphans among our descendants our children. Before Linux 3.4
// they go to init and are not found.
func becomeReaper() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// childInfo is the kernel's siginfo_t as waitid fills it, with the field that
// golang.org/x/sys does not export.
type childInfo struct {
	signo, errno, code int32
	_                  [0]uintptr // the kernel aligns the next field like a pointer
	pid                int32
	_                  [112]byte
}

// peek finds a child in a state, without waiting and without reaping it. The pid is
// 0 if none is in that state.
func peek(kind, id, states int) (pid int, err error) {
	var info childInfo
	err = unix.Waitid(kind, id, (*unix.Siginfo)(unsafe.Pointer(&info)),
		states|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	return int(info.pid), err
}

// haveChildren takes one system call; listing all processes takes thousands.
func haveChildren() bool {
	_, err := peek(unix.P_ALL, 0, unix.WEXITED)
	return err != unix.ECHILD
}

// haveUnknownChildren leaves out the processes that this program has started for
// itself.
func haveUnknownChildren() bool {
	if !haveChildren() {
		return false
	}
	// The kernel lists children by the thread that started them, where it lists them.
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil && !children.Known(pid) {
				return true
			}
		}
	}
	return len(lists) == 0 && slices.ContainsFunc(processes(), func(e entry) bool {
		return e.ppid == os.Getpid() && !children.Known(e.pid)
	})
}

// reap waits for one child that has ended.
func reap(pid int) bool {
	var status unix.WaitStatus
	got, err := unix.Wait4(pid, &status, unix.WNOHANG|unix.WALL, nil)
	return got == pid || err == unix.ECHILD
}

// reapOrphans stops at a child that another goroutine waits for. The next event, or
// the end of the tree, finds the children behind it.
func (o *orphanTracker) reapOrphans() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.foreignChildren {
		pid, err := peek(unix.P_ALL, 0, unix.WEXITED)
		if err != nil || pid == 0 || o.own(pid) || !reap(pid) {
			return
		}
	}
}

// processes lists all visible processes.
func processes() []entry {
	all := guard.Processes()
	list := make([]entry, len(all))
	for i, p := range all {
		list[i] = entryOf(p)
	}
	return list
}

func look(pid int) (entry, bool) {
	p, ok := guard.Look(pid)
	return entryOf(p), ok
}

func entryOf(p guard.Process) entry {
	return entry{
		pid: p.PID, ppid: p.Parent, pgid: p.Group, sid: p.Session, start: p.Start, zombie: p.Zombie, stopped: p.Stopped,
	}
}

// runsAs reports whether a process runs the program with the arguments.
func (d Daemon) runsAs(pid int) bool {
	return guard.Daemon(d).Matches(guard.Process{PID: pid, Group: pid})
}

// The requests for the mode of a terminal.
const getMode, setMode = unix.TCGETS, unix.TCSETS

// withDeadlines returns our end of a terminal with reads that can have a deadline.
func withDeadlines(near *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(near.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return near, os.NewSyscallError("fcntl", err)
	}
	near.Close()
	if err := unix.SetNonblock(fd, true); err != nil {
		return os.NewFile(uintptr(fd), near.Name()), os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), near.Name()), nil
}
