package process

import (
	"bufio"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guardName is the name of our own program when it runs as a guard.
const guardName = "stagecraft-guard"

// The descriptors of a guard, in addition to the program's streams.
const (
	guardLine    = 3 + iota // the connection to its supervisor
	guardProgram            // the program's file, if it was opened
	guardDir                // the working directory, if it was opened
)

// A guard must start fast, and the rest of the program takes a hundred times as
// long to initialise, so this runs first. See RATIONALE.md, "Why is a guard between
// us and a command?".
func init() { Guard() }

// Guard runs this process as a guard, and does not return, if it was started as one.
func Guard() {
	if len(os.Args) > 0 && os.Args[0] == guardName {
		os.Exit(guardMain())
	}
}

// guard is the process between us and a command. All descendants of the command
// stay below it, and it ends them when we are gone.
type guard struct {
	line    *os.File
	daemons []Daemon
	root    int // the program's pid
}

// guardMain runs in init and therefore on the first thread. That thread forks, and
// must live as long as the program.
func guardMain() int {
	unix.CloseOnExec(guardLine)
	// Other files that our supervisor left open are not for the program either.
	_ = unix.CloseRange(guardLine, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	g := &guard{line: os.NewFile(guardLine, "line")}
	ignoreSignals()
	in := bufio.NewReader(g.line)
	plan, err := readGuardPlan(in)
	if err != nil {
		return 1
	}
	g.daemons = plan.daemons
	becomeReaper()
	switch err := g.startConfined(plan); {
	case errors.Is(err, errNotConfined):
		g.say(guardNotConfined, int(errnoOf(err)))
		return 1
	case err != nil:
		g.say(guardFailed, int(errnoOf(err)))
		return 1
	}
	g.say(guardStarted, g.root)
	plan.closeProgramFiles()
	go g.listen(in)
	g.wait()
	return 0
}

// ignoreSignals ignores the signals that end Go programs, most of them with a trace.
// The kernel does not let a program ignore faults of its own. The runtime has
// handlers for these signals, so a forked program gets the defaults back.
// signal.Ignore would take half a millisecond longer.
func ignoreSignals() {
	// The kernel's struct sigaction with SIG_IGN, on most processors.
	ignore := [4]uintptr{1}
	for _, sig := range []syscall.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGTRAP, unix.SIGABRT, unix.SIGSTKFLT, unix.SIGSYS,
		unix.SIGILL, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV,
	} {
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0)
	}
}

// listen waits for the end of our supervisor, and then ends everything.
func (g *guard) listen(in io.Reader) {
	_, _ = io.Copy(io.Discard, in)
	g.endAll()
	os.Exit(1)
}

// wait reaps all descendants, until none is left.
func (g *guard) wait() {
	exited := false
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WUNTRACED|unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			g.say(guardEmpty)
			return
		case pid == g.root && status.Stopped():
			g.say(guardStopped)
		case pid == g.root && !exited:
			if !haveChildren() {
				g.say(guardLast, int(status))
				return
			}
			exited = true
			g.say(guardExited, int(status))
		}
		if exited && len(g.daemons) > 0 && len(g.descendants()) == 0 {
			g.say(guardEmpty)
			return
		}
	}
}

// endAll stops all descendants, so that none forks, and then kills them. It gives
// up those that cannot be killed, such as those of another user.
func (g *guard) endAll() {
	stopped := map[int]uint64{}
	for until := time.Now().Add(settleTime); time.Now().Before(until); {
		all, news := g.descendants(), false
		for _, e := range all {
			if start, ok := stopped[e.pid]; !ok || start != e.start {
				stopped[e.pid], news = e.start, true
				_ = unix.Kill(e.pid, unix.SIGSTOP)
			}
		}
		if news {
			continue
		}
		if len(all) == 0 {
			return
		}
		for _, e := range all {
			_ = unix.Kill(e.pid, unix.SIGKILL)
		}
		time.Sleep(firstLook)
	}
}

// descendants lists the processes that end with the tree. Their pids cannot be
// reused: they are free only after we or another of them have waited.
func (g *guard) descendants() []entry {
	children := byParent(processes())
	var found []entry
	for queue := children[os.Getpid()]; len(queue) > 0; queue = queue[1:] {
		e := queue[0]
		if e.pid != g.root && mayStay(g.daemons, e) {
			continue
		}
		queue = append(queue, children[e.pid]...)
		// Our own zombies count, because wait has not reaped them yet.
		if !e.zombie || e.ppid == os.Getpid() {
			found = append(found, e)
		}
	}
	return found
}

func errnoOf(err error) syscall.Errno {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return syscall.EINVAL
}
