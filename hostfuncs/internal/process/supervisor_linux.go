package process

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// supervisor is a tree's connection to its guard.
type supervisor struct {
	line    *os.File
	started chan begun
	exit    chan exited
	hung    chan struct{} // closed when the guard has gone
	begun   time.Time
	stopped atomic.Bool // the program has stopped, and nobody has seen to it
	empty   atomic.Bool // nothing of the tree is left
	watcher Watcher     // nil for none
}

// start has a guard run the program.
func (t *tree) start(c Command, files [3]*os.File) error {
	line, far, err := openLine()
	if err != nil {
		return err
	}
	k := &t.supervisor
	k.line, k.begun, k.watcher = line, time.Now(), c.Watcher
	t.process, err = os.StartProcess("/proc/self/exe", []string{guardName, c.Program}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: append(files[:], far, c.Executable.handle(), c.Directory.handle()),
		// Neither the terminal nor a kill of our group is to reach it.
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	far.Close()
	if err != nil {
		line.Close()
		return err
	}
	p := guardPlan{
		program: c.Program, dir: c.Dir, opened: c.Directory != nil, argv: c.Argv, env: c.Env,
		limits: c.Limits, confine: c.Confine, watch: c.Watcher != nil, leaves: c.Leaves,
	}
	if x := c.Executable; x != nil {
		p.is, p.how = x.is, x.runBy(c.Pinned)
	}
	if t.shared {
		p.group = unix.Getpgrp()
	}
	k.started, k.exit, k.hung = make(chan begun, 1), make(chan exited, 1), make(chan struct{})
	go t.talk(p)
	if err := t.awaitStart(); err != nil {
		_ = t.process.Kill()
		<-k.hung
		_, _ = t.process.Wait()
		line.Close()
		return err
	}
	return nil
}

// awaitStart waits until the program runs. Already then it can stop its guard,
// which is woken: all else waits for this.
func (t *tree) awaitStart() error {
	for {
		select {
		case b := <-t.supervisor.started:
			t.root = b.pid
			t.wake() // for what came meanwhile
			return b.err
		case <-t.events:
			t.wakeGuard()
		}
	}
}

// openLine makes a line: our end, which can be closed while it is read from,
// and the guard's.
func openLine() (near, far *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil {
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ends[0]), "guard"), os.NewFile(uintptr(ends[1]), "line"), nil
}

// begun is what became of a start.
type begun struct {
	pid int
	err error
}

// talk tells the guard what to run, and takes in what it says, until it has gone.
func (t *tree) talk(p guardPlan) {
	k := &t.supervisor
	defer t.wake()
	defer close(k.hung)
	if _, err := k.line.Write(p.encode()); err != nil {
		k.started <- begun{err: fmt.Errorf("tell the guard: %w", err)}
		return
	}
	in := bufio.NewReader(k.line)
	msg, err := k.read(in)
	switch {
	case err == nil && msg.letter == guardFailed:
		k.started <- begun{err: syscall.Errno(msg.number)}
		return
	case err == nil && msg.letter == guardNotConfined:
		k.started <- begun{err: fmt.Errorf("%w: %v", errNotConfined, syscall.Errno(msg.number))}
		return
	case err == nil:
		k.started <- begun{pid: msg.number}
	default:
		// It was killed, as the program can do before the guard says its name:
		// nothing then is known of it, and all that is left comes to us.
		k.started <- begun{pid: t.process.Pid}
	}
	if !t.readMessages(in) {
		// The program was killed with its guard.
		k.exit <- exited{code: 128 + int(syscall.SIGKILL), signal: "SIGKILL", after: time.Since(k.begun)}
	}
}

// readMessages reports whether the guard said how the program ended.
func (t *tree) readMessages(in *bufio.Reader) (told bool) {
	k := &t.supervisor
	for {
		msg, err := k.read(in)
		switch {
		case err != nil:
			return told
		case msg.letter == guardStopped:
			k.stopped.Store(true)
			t.wake()
		case msg.letter == guardExited, msg.letter == guardLast:
			told = true
			k.empty.Store(msg.letter == guardLast)
			code, signal := exitStatus(syscall.WaitStatus(msg.number))
			k.exit <- exited{code: code, signal: signal, after: time.Since(k.begun)}
		case msg.letter == guardEmpty:
			k.empty.Store(true)
			t.wake()
		}
	}
}

// guardMessage is one message of a guard.
type guardMessage struct {
	letter byte
	number int
	text   []byte
}

// read gives what the guard says next of how the program fares. What the tree uses
// goes to who watches it.
func (k *supervisor) read(in *bufio.Reader) (guardMessage, error) {
	for {
		s, err := readMessage(in)
		switch {
		case err != nil:
			return s, err
		case s.letter == guardUsed:
			use, err := confine.DecodeUse(s.text)
			if err != nil {
				return s, err
			}
			k.watcher.Used(use)
		case s.letter == guardMore:
			k.watcher.More()
		case s.letter == guardMissed:
			k.watcher.Missed(string(s.text))
		default:
			return s, nil
		}
	}
}

func readMessage(in *bufio.Reader) (s guardMessage, err error) {
	if s.letter, err = in.ReadByte(); err != nil || s.letter == guardStopped || s.letter == guardEmpty || s.letter == guardMore {
		return s, err
	}
	buf := make([]byte, 4)
	if _, err = io.ReadFull(in, buf); err != nil {
		return s, err
	}
	s.number = int(binary.LittleEndian.Uint32(buf))
	if s.letter == guardUsed || s.letter == guardMissed {
		if s.number > confine.MaxUse {
			return s, errGuardLine
		}
		s.text = make([]byte, s.number)
		_, err = io.ReadFull(in, s.text)
	}
	return s, err
}

var errGuardLine = errors.New("not a message of a guard")

// wake has the tree tended.
func (t *tree) wake() {
	select {
	case t.events <- syscall.SIGCHLD:
	default: // it will be anyway
	}
}

// exited gives how the program ended, once it has.
func (t *tree) exited() <-chan exited { return t.supervisor.exit }

// release ends the guard, and waits for it.
func (t *tree) release() {
	closeWrite(t.supervisor.line)
	select {
	case <-t.supervisor.hung:
	case <-time.After(2 * settleTime):
		// It ends by itself, unless something keeps it from that.
		_ = t.process.Kill()
		<-t.supervisor.hung
	}
	_, _ = t.process.Wait()
	orphans.waited(t.process.Pid)
	t.supervisor.line.Close()
}

// closeWrite tells the guard to end the tree. Its messages can still be read.
func closeWrite(line *os.File) {
	if conn, err := line.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
	}
}

// guards reports whether a process is the guard's child.
func (t *tree) guards(e entry) bool { return e.ppid == t.process.Pid }

// isEmpty asks the guard, which can't be mistaken, and not a list of processes
// that changes while it is read. But a guard that was killed says nothing any
// more, and one that lets processes go isn't told what they become.
func (t *tree) isEmpty() bool {
	k := &t.supervisor
	switch {
	case k.empty.Load():
		return true
	case len(t.leaves) == 0 && !isClosed(k.hung):
		return false
	}
	return len(orphans.members(t)) == 0
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// sendRoot: the program is the guard's child, so it is looked at first.
func (t *tree) sendRoot(e entry, sig syscall.Signal) { e.send(sig) }

// sendProgram: the program is the guard's child, or ours if the guard was killed.
func (t *tree) sendProgram(sig syscall.Signal) {
	if e, ok := look(t.root); ok && (e.ppid == t.process.Pid || e.ppid == os.Getpid()) {
		e.send(sig)
	}
}

// supervise reaps orphans, continues a guard that something stopped, and stops us when
// the program has stopped itself.
func (t *tree) supervise() {
	orphans.reapOrphans()
	t.wakeGuard()
	if t.supervisor.stopped.Swap(false) && t.shared {
		t.stopAlong()
	}
}

func (t *tree) wakeGuard() {
	if pid, err := peek(unix.P_PID, t.process.Pid, unix.WSTOPPED); err == nil && pid != 0 {
		_ = t.process.Signal(syscall.SIGCONT)
	}
}

// stopAlong gives the terminal back to the shell when the program has stopped
// itself, as pagers and editors do on Ctrl-Z: the shell waits for us. When it
// wakes us, the program goes on.
//
// Ctrl-Z may have stopped us too, and the shell may have woken all since. So the
// signal is sent before the program is looked at: a SIGCONT takes it away again.
func (t *tree) stopAlong() {
	unblock := blockSignals()
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTSTP)
	e, ok := look(t.root)
	stopped := ok && e.stopped && e.ppid == t.process.Pid
	if !stopped {
		discard(unix.SIGTSTP)
	}
	unblock() // stops here
	if stopped {
		e.send(syscall.SIGCONT)
	}
}

// discard takes away a blocked signal that waits for the calling thread.
func discard(sig syscall.Signal) {
	set, now := unix.Sigset_t{}, unix.Timespec{}
	set.Val[0] = 1 << (sig - 1)
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT,
		uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
}

// is reports whether a process runs the program with the arguments.
func (l Leaving) is(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid)
	line, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return false
	}
	_, args, _ := bytes.Cut(line, []byte{0})
	want := ""
	for _, arg := range l.Args {
		want += arg + "\x00"
	}
	if string(args) != want {
		return false
	}
	// What a process calls itself says nothing of the file that it runs.
	program, err := os.Stat(l.Program)
	if err != nil {
		return false
	}
	runs, err := os.Stat(dir + "/exe")
	return err == nil && os.SameFile(program, runs)
}
