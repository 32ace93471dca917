package process

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// supervisor is a tree's connection to its guard.
type supervisor struct {
	guards  *Guards // nil if the guard ends with its command
	guard   *guardProcess
	started chan begun
	exit    chan exited
	closed  chan struct{} // closed when the guard has ended, or is free for another command
	stopped atomic.Bool   // the program has stopped, and supervise has not handled it
	empty   atomic.Bool   // nothing of the tree is left
	free    atomic.Bool   // the guard is to run another command
	// confined is nil for a tree that is not confined, watcher for one that is not watched.
	confined *confine.Prepared
	watcher  Watcher
	// listener receives the calls that the tree's filter reports, nil for none. served
	// is closed when serve has returned.
	listener *os.File
	served   chan struct{}
}

// start takes a guard, which runs the program.
func (t *tree) start(c Command, files [3]*os.File) (err error) {
	s := &t.supervisor
	if c.Terminal != nil {
		s.guard, err = c.Guards.start(true)
	} else {
		s.guards = c.Guards
		s.guard, err = s.guards.take()
	}
	if err != nil {
		return err
	}
	t.process = s.guard.process
	s.watcher = c.Watcher
	s.started, s.exit, s.closed, s.served = make(chan begun, 1), make(chan exited, 1), make(chan struct{}), make(chan struct{})
	t.wakeGuard() // an idle one may have been stopped
	rest, err := t.tell(c, files)
	if err == nil {
		go t.listen(rest)
		err = t.awaitStart()
	} else {
		close(s.closed)
	}
	if err != nil {
		t.waitGuard()
		t.stopServing()
		delete(orphans.children, t.process.Pid) // the lock is held
	}
	return err
}

// tell sends the guard its plan, as much as the connection takes at once.
func (t *tree) tell(c Command, streams [3]*os.File) (rest []byte, err error) {
	p, files, err := t.plan(c, streams)
	if err != nil {
		return nil, err
	}
	defer t.supervisor.confined.Close()
	data := p.Encode()
	sent, err := sendFiles(t.supervisor.guard.line, data, files)
	if err != nil {
		return nil, fmt.Errorf("send the plan to the guard: %w", err)
	}
	return data[sent:], nil
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

// begun is the result of a start.
type begun struct {
	pid int
	err error
}

// plan returns what the guard runs, with its descriptors in the order that package
// guard expects.
func (t *tree) plan(c Command, streams [3]*os.File) (p guard.Plan, files []*os.File, err error) {
	s := &t.supervisor
	p = guard.Plan{
		Program: c.Program, Dir: c.Dir, Opened: c.Directory != nil, Argv: c.Argv, Env: c.Env,
		Terminal:  c.Terminal != nil,
		OpenFiles: c.Limits.OpenFiles, Processes: c.Limits.Processes,
	}
	for _, d := range c.Daemons {
		p.Daemons = append(p.Daemons, guard.Daemon(d))
	}
	if t.shared {
		p.Group = uint64(unix.Getpgrp())
	}
	var programs []int
	if x := c.Executable; x != nil {
		p.Is, p.How = x.is, x.runBy(c.Pinned)
		files, programs = append(files, x.file), append(programs, int(x.file.Fd()))
	}
	if c.Directory != nil {
		files = append(files, c.Directory.file)
	}
	switch {
	case c.Watcher != nil:
		if p.Restrict, err = confine.PrepareWatch(); err != nil {
			c.Watcher.Missed(err.Error())
		}
	case c.Confine != nil:
		s.confined, err = c.Confine.Prepare(confine.Probe(), []int{t.process.Pid, os.Getpid()}, programs...)
		if err != nil {
			return p, nil, fmt.Errorf("%w: %v", errNotConfined, err)
		}
		p.Restrict = &s.confined.Restrictions
		if s.confined.Ruleset != nil {
			files = append(files, s.confined.Ruleset)
		}
	}
	return p, append(files, streams[:]...), nil
}

// listen sends the guard the rest of its plan, and reads its messages until it has
// ended or is free.
func (t *tree) listen(rest []byte) {
	s := &t.supervisor
	defer t.wake()
	defer close(s.closed)
	if len(rest) > 0 {
		if _, err := s.guard.line.Write(rest); err != nil {
			s.started <- begun{err: fmt.Errorf("send the plan to the guard: %w", err)}
			return
		}
	}
	msg, err := t.read()
	switch {
	case err == nil && msg.letter == guard.Failed:
		s.started <- begun{err: syscall.Errno(msg.number)}
	case err == nil && msg.letter == guard.NotConfined:
		s.started <- begun{err: fmt.Errorf("%w: %v", errNotConfined, syscall.Errno(msg.number))}
	case err == nil:
		s.started <- begun{pid: msg.number}
	default:
		// The guard was killed, possibly by the program, before it reported the pid.
		// What is left of the tree is reparented to us.
		s.started <- begun{pid: t.process.Pid}
	}
	if !t.readMessages() {
		// The program was killed with its guard.
		s.exit <- exited{code: 128 + int(syscall.SIGKILL), signal: "SIGKILL"}
	}
}

// readMessages reports whether the guard reported how the program ended.
func (t *tree) readMessages() (ended bool) {
	s := &t.supervisor
	for {
		msg, err := t.read()
		switch {
		case err != nil:
			return ended
		case msg.letter == guard.Stopped:
			s.stopped.Store(true)
			t.wake()
		case msg.letter == guard.Exited, msg.letter == guard.Last:
			ended = true
			s.free.Store(msg.letter == guard.Last && s.guards != nil)
			s.empty.Store(msg.letter == guard.Last)
			code, signal := exitStatus(syscall.WaitStatus(msg.number))
			s.exit <- exited{code: code, signal: signal}
		case msg.letter == guard.Empty:
			s.free.Store(len(t.daemons) == 0 && s.guards != nil)
			s.empty.Store(true)
			t.wake()
		}
		if s.free.Load() {
			return ended
		}
	}
}

// read returns the next message about the program's state. It starts serving a
// listener that arrives.
func (t *tree) read() (guardMessage, error) {
	s := &t.supervisor
	for {
		msg, err := readMessage(s.guard.in)
		switch {
		case err == nil && msg.letter == guard.Listens && s.listener == nil && s.guard.from.file != nil:
			s.listener = s.guard.from.take()
			go t.serve()
		case err == nil && msg.letter == guard.NotWatched:
			s.watcher.Missed(fmt.Sprintf("install a seccomp filter: %v", syscall.Errno(msg.number)))
		default:
			return msg, err
		}
	}
}

// serve handles the calls that the tree's filter reports. Each use is reported before
// its system call continues, and so before the end of the program.
func (t *tree) serve() {
	s := &t.supervisor
	defer close(s.served)
	if s.confined != nil {
		s.confined.Broker(s.listener).Serve()
	} else {
		confine.NewWatch(s.listener).Serve(s.watcher.Used, s.watcher.More)
	}
}

// stopServing stops serve. A watcher gets no calls afterwards. Connections that a
// broker makes may take longer.
func (t *tree) stopServing() {
	s := &t.supervisor
	if s.listener == nil {
		return
	}
	s.listener.Close()
	if s.confined == nil {
		<-s.served
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

// release leaves the guard to the next command, or ends it and waits for it.
func (t *tree) release() {
	s := &t.supervisor
	if s.free.Load() {
		<-s.closed
	}
	if !s.free.Load() || !s.guards.leave(s.guard) {
		t.waitGuard()
		orphans.waited(t.process.Pid)
	}
	t.stopServing()
}

func (t *tree) waitGuard() {
	s := &t.supervisor
	closeWrite(s.guard.line)
	select {
	case <-s.closed:
	case <-time.After(2 * settleTime):
		// Something keeps it from ending by itself.
		_ = t.process.Kill()
		<-s.closed
	}
	_, _ = t.process.Wait()
	s.guard.line.Close()
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
