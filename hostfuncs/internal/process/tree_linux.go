package process

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

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
		if err != nil || pid == 0 || o.children[pid] || children.Known(pid) || !reap(pid) {
			return
		}
	}
}

// processes lists all visible processes.
func processes() []entry {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	list := make([]entry, 0, len(names))
	buf := make([]byte, 1024)
	for _, name := range names {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		if e, ok := readStat("/proc/"+name+"/stat", buf); ok {
			list = append(list, e)
		}
	}
	return list
}

func look(pid int) (entry, bool) {
	return readStat("/proc/"+strconv.Itoa(pid)+"/stat", make([]byte, 1024))
}

// readStat uses plain system calls: the runtime's poller would double the time, for
// files that never block.
func readStat(path string, buf []byte) (entry, bool) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return entry{}, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return entry{}, false
	}
	return parseStat(buf[:n])
}

// parseStat reads a line of /proc/PID/stat, see proc_pid_stat(5). The name of
// a program, in parentheses, may contain any bytes.
func parseStat(line []byte) (entry, bool) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return entry{}, false
	}
	fields := strings.Fields(string(line[end+1:]))
	if len(fields) < 20 {
		return entry{}, false
	}
	e := entry{zombie: fields[0] == "Z" || fields[0] == "X", stopped: fields[0] == "T"}
	ok := true
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		ok = ok && err == nil
		return n
	}
	e.pid = number(strings.TrimSpace(string(line[:open])))
	e.ppid, e.pgid, e.sid = number(fields[1]), number(fields[2]), number(fields[3])
	start, err := strconv.ParseUint(fields[19], 10, 64)
	e.start = start
	return e, ok && err == nil
}

// runsAs reports whether a process runs the program with the arguments.
func (d Daemon) runsAs(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid)
	line, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return false
	}
	_, args, _ := bytes.Cut(line, []byte{0})
	want := ""
	for _, arg := range d.Args {
		want += arg + "\x00"
	}
	if string(args) != want {
		return false
	}
	// Argv[0] is whatever the process chose; the file it runs is not.
	program, err := os.Stat(d.Program)
	if err != nil {
		return false
	}
	runs, err := os.Stat(dir + "/exe")
	return err == nil && os.SameFile(program, runs)
}
