package guard

import (
	"encoding/binary"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Name is the argv[0] of a guard.
const Name = "stagecraft-guard"

// Line is the descriptor of a guard's connection. Its standard streams are not used.
const Line = 3

// What a guard reports: a letter, some with a number of four bytes, the lowest
// first. An error is a number of the system.
const (
	Started     = 'p' // the program runs, with this PID
	Failed      = 'f' // it was not started, for this error
	NotConfined = 'c' // it was not started, because this error kept it from being confined
	NotWatched  = 'm' // it was started without its filter, for this error
	Listens     = 'n' // its filter is installed, and this message carries the listener
	Stopped     = 's' // it has stopped
	Exited      = 'x' // it has ended, with this wait status
	Last        = 'l' // the same, and nothing of the tree is left
	Empty       = 'e' // nothing of the tree is left
)

// ErrChanged is the error of a file that changed since it was decided on. No system
// call here returns it.
const ErrChanged = unix.ESTALE

const (
	// settleTime is how long killed processes may take to vanish.
	settleTime = 2 * time.Second
	// pause is the time between two looks at them.
	pause = time.Millisecond
)

// guard runs one command after another.
type guard struct {
	running atomic.Pointer[running]
	// ignored are the signals that were ignored when the guard started. The program
	// ignores them too.
	ignored [65]bool
}

// Main runs this process as a guard, and returns its exit code. The thread that
// forks has to live as long as the program.
func Main() int {
	runtime.LockOSThread()
	// Other descriptors that were left open are not for the program.
	_ = unix.CloseRange(Line, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	unix.CloseOnExec(Line)
	// The memory file that it may be executed from.
	_ = unix.Close(Line + 1)
	name := []byte(Name + "\x00")
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	g := new(guard)
	g.running.Store(new(running))
	g.ignoreSignals()
	// A kernel that cannot do this, before 3.4, leaves orphans to init.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	go g.listen()
	for {
		p, descriptors, err := receive()
		if err != nil {
			return 1
		}
		if !g.run(p, descriptors) {
			return 0
		}
	}
}

// running is a command.
type running struct {
	daemons []Daemon
	root    int // the program's PID
}

// run runs a command, and reports whether nothing of it is left.
func (g *guard) run(p Plan, descriptors []int) bool {
	g.running.Store(&running{daemons: p.Daemons})
	pid, letter, errno := Start(&p, descriptors, g.ignored)
	// They would stay open after the program's end.
	for _, fd := range descriptors {
		_ = unix.Close(fd)
	}
	if errno != 0 {
		g.say(letter, int(errno))
		return false
	}
	g.running.Store(&running{p.Daemons, pid})
	g.say(Started, pid)
	return g.wait(pid, p.Daemons)
}

// ignoreSignals ignores the signals that end Go programs, most of them with a trace.
// A fault of the guard's own still ends it: the kernel does not let a program ignore
// that. signal.Ignore would take half a millisecond longer.
func (g *guard) ignoreSignals() {
	// The first word of the kernel's struct sigaction is the handler on most machines.
	// There is space for the rest.
	var now [8]uintptr
	for sig := 1; sig < len(g.ignored); sig++ {
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&now)), sigsetSize, 0, 0)
		g.ignored[sig] = now[0] == 1
	}
	ignore := [8]uintptr{1}
	for _, sig := range []syscall.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGTRAP, unix.SIGABRT, unix.SIGSTKFLT, unix.SIGSYS,
		unix.SIGILL, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV,
	} {
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&ignore)), 0, sigsetSize, 0, 0)
	}
}

// sigsetSize is the size of the kernel's sigset_t.
const sigsetSize = 8

// listen waits for the end of the process that started the guard, and then ends
// everything.
func (g *guard) listen() {
	line := []unix.PollFd{{Fd: Line, Events: unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(line, -1); err != unix.EINTR {
			break
		}
	}
	g.endAll()
	syscall.Exit(1)
}

// wait reaps children until none is left, or none but daemons. It reports which.
func (g *guard) wait(root int, daemons []Daemon) (none bool) {
	exited := false
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WUNTRACED|unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			g.say(Empty)
			return true
		case pid == root && status.Stopped():
			g.say(Stopped)
		case pid == root && !exited:
			if !haveChildren() {
				g.say(Last, int(status))
				return true
			}
			exited = true
			g.say(Exited, int(status))
		}
		if exited && len(daemons) > 0 && len(g.descendants()) == 0 {
			g.say(Empty)
			return false
		}
	}
}

// haveChildren reports whether a child is left, and reaps none.
func haveChildren() bool {
	var info unix.Siginfo
	return unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil) != unix.ECHILD
}

// endAll stops all descendants, so that none forks on, and then kills them. One
// that cannot be killed, such as that of another user, is given up.
func (g *guard) endAll() {
	stopped := map[int]uint64{}
	for until := time.Now().Add(settleTime); time.Now().Before(until); {
		all, news := g.descendants(), false
		for _, p := range all {
			if start, ok := stopped[p.PID]; !ok || start != p.Start {
				stopped[p.PID], news = p.Start, true
				_ = unix.Kill(p.PID, unix.SIGSTOP)
			}
		}
		if news {
			continue
		}
		if len(all) == 0 {
			return
		}
		for _, p := range all {
			_ = unix.Kill(p.PID, unix.SIGKILL)
		}
		time.Sleep(pause)
	}
}

// descendants returns the processes that have to end with the command. None can be
// mistaken for another process: a PID is free again only after the guard or a
// parent, which is also a descendant, has waited for it.
func (g *guard) descendants() []Process {
	self, r := unix.Getpid(), g.running.Load()
	children := map[int][]Process{}
	for _, p := range Processes() {
		children[p.Parent] = append(children[p.Parent], p)
	}
	var found []Process
	for queue := children[self]; len(queue) > 0; queue = queue[1:] {
		p := queue[0]
		if p.PID != r.root && slices.ContainsFunc(r.daemons, func(d Daemon) bool { return d.Matches(p) }) {
			continue
		}
		queue = append(queue, children[p.PID]...)
		// A zombie child of the guard has not been reaped yet.
		if !p.Zombie || p.Parent == self {
			found = append(found, p)
		}
	}
	return found
}

// say sends a message with one write, since several threads send. If the connection
// is closed the message is lost, and listen ends the guard.
func (g *guard) say(letter byte, number ...int) {
	message := []byte{letter}
	for _, n := range number {
		message = binary.LittleEndian.AppendUint32(message, uint32(n))
	}
	_, _ = unix.Write(Line, message)
}
