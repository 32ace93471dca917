package process

import (
	"bufio"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// supervisor is a tree's connection to its guard.
type supervisor struct {
	line    *os.File
	started chan begun
	exit    chan exited
	closed  chan struct{} // closed when the guard has ended
	stopped atomic.Bool   // the program has stopped, and supervise has not handled it
	empty   atomic.Bool   // nothing of the tree is left
	watcher Watcher       // nil for none
}

// start starts a guard, which runs the program.
func (t *tree) start(c Command, files [3]*os.File) error {
	line, far, err := openLine()
	if err != nil {
		return err
	}
	s := &t.supervisor
	s.line, s.watcher = line, c.Watcher
	t.process, err = os.StartProcess("/proc/self/exe", []string{guardName, c.Program}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: append(files[:], far, c.Executable.handle(), c.Directory.handle()),
		// Neither the terminal nor a kill of our group may reach it.
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	far.Close()
	if err != nil {
		line.Close()
		return err
	}
	p := guardPlan{
		program: c.Program, dir: c.Dir, opened: c.Directory != nil, argv: c.Argv, env: c.Env,
		limits: c.Limits, confine: c.Confine, watch: c.Watcher != nil, daemons: c.Daemons,
	}
	if x := c.Executable; x != nil {
		p.is, p.how = x.is, x.runBy(c.Pinned)
	}
	if t.shared {
		p.group = uint64(unix.Getpgrp())
	}
	s.started, s.exit, s.closed = make(chan begun, 1), make(chan exited, 1), make(chan struct{})
	go t.talk(p)
	if err := t.awaitStart(); err != nil {
		_ = t.process.Kill()
		<-s.closed
		_, _ = t.process.Wait()
		line.Close()
		return err
	}
	return nil
}

// awaitStart waits until the program runs. The program can already stop its guard
// then, which must be continued so that the start is reported.
func (t *tree) awaitStart() error {
	for {
		select {
		case b := <-t.supervisor.started:
			t.root = b.pid
			t.wake() // for earlier events
			return b.err
		case <-t.events:
			t.wakeGuard()
		}
	}
}

// openLine returns both ends of a connection: ours, which can be closed while it is
// read, and the guard's.
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

// begun is the result of a start.
type begun struct {
	pid int
	err error
}

// talk sends the guard its plan, and reads its messages until it has ended.
func (t *tree) talk(p guardPlan) {
	s := &t.supervisor
	defer t.wake()
	defer close(s.closed)
	if _, err := s.line.Write(p.encode()); err != nil {
		s.started <- begun{err: fmt.Errorf("send the plan to the guard: %w", err)}
		return
	}
	in := bufio.NewReader(s.line)
	msg, err := s.read(in)
	switch {
	case err == nil && msg.letter == guardFailed:
		s.started <- begun{err: syscall.Errno(msg.number)}
		return
	case err == nil && msg.letter == guardNotConfined:
		s.started <- begun{err: fmt.Errorf("%w: %v", errNotConfined, syscall.Errno(msg.number))}
		return
	case err == nil:
		s.started <- begun{pid: msg.number}
	default:
		// The guard was killed, possibly by the program, before it reported the pid.
		// What is left of the tree is reparented to us.
		s.started <- begun{pid: t.process.Pid}
	}
	if !t.readMessages(in) {
		// The program was killed with its guard.
		s.exit <- exited{code: 128 + int(syscall.SIGKILL), signal: "SIGKILL"}
	}
}

// readMessages reports whether the guard reported how the program ended.
func (t *tree) readMessages(in *bufio.Reader) (ended bool) {
	s := &t.supervisor
	for {
		msg, err := s.read(in)
		switch {
		case err != nil:
			return ended
		case msg.letter == guardStopped:
			s.stopped.Store(true)
			t.wake()
		case msg.letter == guardExited, msg.letter == guardLast:
			ended = true
			s.empty.Store(msg.letter == guardLast)
			code, signal := exitStatus(syscall.WaitStatus(msg.number))
			s.exit <- exited{code: code, signal: signal}
		case msg.letter == guardEmpty:
			s.empty.Store(true)
			t.wake()
		}
	}
}

// wake makes Run call supervise.
func (t *tree) wake() {
	select {
	case t.events <- syscall.SIGCHLD:
	default: // a call is already due
	}
}

// exited receives how the program ended.
func (t *tree) exited() <-chan exited { return t.supervisor.exit }

// release ends the guard, and waits for it.
func (t *tree) release() {
	closeWrite(t.supervisor.line)
	select {
	case <-t.supervisor.closed:
	case <-time.After(2 * settleTime):
		// Something keeps it from ending by itself.
		_ = t.process.Kill()
		<-t.supervisor.closed
	}
	_, _ = t.process.Wait()
	orphans.waited(t.process.Pid)
	t.supervisor.line.Close()
}

// closeWrite makes the guard end the tree. Its messages can still be read.
func closeWrite(line *os.File) {
	if conn, err := line.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
	}
}

// guards reports whether a process is the guard's child.
func (t *tree) guards(e entry) bool { return e.ppid == t.process.Pid }

// isEmpty uses the guard's report, because a list of processes changes while it is
// read. The list serves only if the guard was killed, or if daemons may stay, whose
// later end the guard does not see.
func (t *tree) isEmpty() bool {
	s := &t.supervisor
	if s.empty.Load() {
		return true
	}
	select {
	case <-s.closed:
	default:
		if len(t.daemons) == 0 {
			return false
		}
	}
	return len(orphans.members(t)) == 0
}

// sendRoot checks the process first: it is not our child but the guard's.
func (t *tree) sendRoot(e entry, sig syscall.Signal) { e.send(sig) }

// sendProgram signals the program, the guard's child, or ours if the guard was killed.
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
