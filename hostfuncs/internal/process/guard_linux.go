package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// guardName is what our own program is called when it is a guard.
const guardName = "stagecraft-guard"

// The descriptors of a guard, besides the program's streams.
const (
	guardLine    = 3 + iota // its line to who started it
	guardProgram            // the program's file, if it was opened
	guardDir                // the directory to run in, if it was opened
)

// The guard protocol. A message is a letter; some have a number of 32 bits, and
// the last two that many bytes after it.
const (
	guardStarted     = 'p' // the program runs, with this pid
	guardFailed      = 'f' // it could not be started, for this error of the system
	guardNotConfined = 'c' // it was not started, since it could not be confined
	guardStopped     = 's' // it has stopped
	guardExited      = 'x' // it has ended, with this wait status
	guardLast        = 'l' // the same, and nothing of the tree is left
	guardEmpty       = 'e' // nothing of the tree is left
	guardMore        = 'o' // the tree uses more than is reported
	guardUsed        = 'u' // the tree uses this, an encoded confine.Use
	guardMissed      = 'm' // uses are not reported, for this reason
)

// A guard must be fast to start, and the rest of the program takes a hundred
// times as long to get ready: this comes before it, see RATIONALE.md, "Why is a
// guard between us and a command?".
func init() { Guard() }

// Guard runs this process as a guard, and does not return, if it was started as one.
func Guard() {
	if len(os.Args) > 0 && os.Args[0] == guardName {
		os.Exit(guardMain())
	}
}

// guard is the process between us and a command. Whatever descends from the
// command stays below it, however it forks, and ends with it when we are gone.
type guard struct {
	line   *os.File
	leaves []Leaving
	root   int // the program's pid
}

// guardMain runs on the thread that forks, and that has to live as long as the
// program: init stays on the first one.
func guardMain() int {
	unix.CloseOnExec(guardLine)
	// What whoever started us left open is not for the program either.
	_ = unix.CloseRange(guardLine, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	g := &guard{line: os.NewFile(guardLine, "line")}
	ignoreSignals()
	in := bufio.NewReader(g.line)
	plan, err := readGuardPlan(in)
	if err != nil {
		return 1
	}
	g.leaves = plan.leaves
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
// A fault of the guard's own still ends it: the kernel does not let a program ignore
// that. The runtime has handlers for these signals, so a forked program gets the
// defaults back. signal.Ignore would take half a millisecond longer.
func ignoreSignals() {
	// The kernel's struct sigaction with SIG_IGN, as most machines have it.
	ignore := [4]uintptr{1}
	for _, sig := range []syscall.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGTRAP, unix.SIGABRT, unix.SIGSTKFLT, unix.SIGSYS,
		unix.SIGILL, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV,
	} {
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0)
	}
}

// startConfined starts the program with its limits and its confinement. A thread's
// confinement is inherited by all that it starts. The thread must not be the first,
// whose rights the kernel takes for those of the whole guard, and must stay alive.
func (g *guard) startConfined(p guardPlan) error {
	if err := p.limits.apply(); err != nil {
		return err
	}
	if p.confine == nil && !p.watch {
		return g.start(p)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if p.watch {
			done <- g.startWatched(p)
			select {}
		}
		broker, err := p.confine.Apply(confine.Probe(), p.files()...)
		if err != nil {
			done <- errors.Join(errNotConfined, err)
			return
		}
		if broker != nil {
			go broker.Serve()
		}
		done <- g.start(p)
		select {}
	}()
	return <-done
}

// start does without os.StartProcess, whose handles nobody needs here.
func (g *guard) start(p guardPlan) (err error) {
	path, err := p.programPath()
	if err != nil {
		return err
	}
	dir := p.dir
	if p.opened {
		dir = descriptor(guardDir)
	}
	g.root, err = syscall.ForkExec(path, p.argv, &syscall.ProcAttr{
		Dir: dir, Env: p.env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Pgid: p.group},
	})
	return err
}

// closeProgramFiles closes the descriptors of the program, which would else stay open
// after its end.
func (p guardPlan) closeProgramFiles() {
	if p.is != (identity{}) {
		_ = unix.Close(guardProgram)
	}
	if p.opened {
		_ = unix.Close(guardDir)
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for fd := range guardLine {
		_ = unix.Dup3(null, fd, unix.O_CLOEXEC)
	}
	_ = unix.Close(null)
}

// listen waits for the end of whoever started us, and then ends everything.
func (g *guard) listen(in io.Reader) {
	_, _ = io.Copy(io.Discard, in)
	g.endAll()
	os.Exit(1)
}

// wait takes away whatever ends, until nothing is left.
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
		if exited && len(g.leaves) > 0 && len(g.descendants()) == 0 {
			g.say(guardEmpty)
			return
		}
	}
}

// endAll stops all descendants, so that none forks on, and then kills them. One
// that can't be killed, as that of another user, is given up.
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

// descendants are those that are to end with the tree. None of them can be
// mistaken for another process: its pid stays its own until we or its parent,
// another one of them, have waited for it.
func (g *guard) descendants() []entry {
	children := byParent(processes())
	var found []entry
	for queue := children[os.Getpid()]; len(queue) > 0; queue = queue[1:] {
		e := queue[0]
		if e.pid != g.root && leaves(g.leaves, e) {
			continue
		}
		queue = append(queue, children[e.pid]...)
		// A zombie of ours is still to be waited for: it would be whose we are.
		if !e.zombie || e.ppid == os.Getpid() {
			found = append(found, e)
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
	_, _ = g.line.Write(message)
}

func (g *guard) sendText(letter byte, text []byte) {
	message := binary.LittleEndian.AppendUint32([]byte{letter}, uint32(len(text)))
	_, _ = g.line.Write(append(message, text...))
}

func errnoOf(err error) syscall.Errno {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return syscall.EINVAL
}
