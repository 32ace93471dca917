package process

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keeper is a tree's line to its guard.
type keeper struct {
	line    *os.File
	exit    chan exited
	hung    chan struct{} // closed when the guard has gone
	begun   time.Time
	stopped atomic.Bool // the program has stopped, and nobody has seen to it
	empty   atomic.Bool // nothing of the tree is left
}

// start has a guard run the program.
func (t *tree) start(c Command, files [3]*os.File) error {
	line, far, err := openLine()
	if err != nil {
		return err
	}
	defer far.Close()
	t.keeper.begun = time.Now()
	t.process, err = os.StartProcess("/proc/self/exe", []string{guardName, c.Program}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: append(files[:], far),
		// Neither the terminal nor a kill of our group is to reach it.
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		line.Close()
		return err
	}
	t.keeper.line = line
	in := bufio.NewReader(line)
	if err := t.order(c, in); err != nil {
		line.Close()
		_, _ = t.process.Wait()
		return err
	}
	t.keeper.exit, t.keeper.hung = make(chan exited, 1), make(chan struct{})
	go t.hear(in)
	return nil
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

var errNoGuard = errors.New("the process that was to guard it has ended before its start")

// order tells the guard what to run, and waits until it runs.
func (t *tree) order(c Command, in *bufio.Reader) error {
	p := guardPlan{program: c.Program, dir: c.Dir, argv: c.Argv, env: c.Env, leaves: c.Leaves}
	if t.shared {
		p.group = unix.Getpgrp()
	}
	if _, err := t.keeper.line.Write(p.encode()); err != nil {
		return errNoGuard
	}
	letter, number, err := readSaid(in)
	switch {
	case err == nil && letter == guardStarted:
		t.root = number
		return nil
	case err == nil && letter == guardFailed:
		return syscall.Errno(number)
	}
	return errNoGuard
}

// hear takes in what the guard says, until it has gone.
func (t *tree) hear(in *bufio.Reader) {
	k := &t.keeper
	defer close(k.hung)
	told := false
	for {
		letter, number, err := readSaid(in)
		switch {
		case err != nil && !told:
			// It was killed, and the program with it.
			k.exit <- exited{code: 128 + int(syscall.SIGKILL), signal: "SIGKILL", after: time.Since(k.begun)}
			return
		case err != nil:
			t.wake()
			return
		case letter == guardStopped:
			k.stopped.Store(true)
			t.wake()
		case letter == guardExited:
			told = true
			code, signal := exitStatus(syscall.WaitStatus(number))
			k.exit <- exited{code: code, signal: signal, after: time.Since(k.begun)}
		case letter == guardEmpty:
			k.empty.Store(true)
			t.wake()
		}
	}
}

func readSaid(in *bufio.Reader) (letter byte, number int, err error) {
	if letter, err = in.ReadByte(); err != nil || letter == guardStopped || letter == guardEmpty {
		return letter, 0, err
	}
	buf := make([]byte, 4)
	_, err = io.ReadFull(in, buf)
	return letter, int(binary.LittleEndian.Uint32(buf)), err
}

// wake has the tree tended.
func (t *tree) wake() {
	select {
	case t.events <- syscall.SIGCHLD:
	default: // it will be anyway
	}
}

// exited gives how the program ended, once it has.
func (t *tree) exited() <-chan exited { return t.keeper.exit }

// release ends the guard, and waits for it.
func (t *tree) release() {
	hangUp(t.keeper.line)
	select {
	case <-t.keeper.hung:
	case <-time.After(2 * settleTime):
		// It ends by itself, unless something keeps it from that.
		_ = t.process.Kill()
		<-t.keeper.hung
	}
	_, _ = t.process.Wait()
	kin.waited(t.process.Pid)
	t.keeper.line.Close()
}

// hangUp says that nothing more will come. What the guard says is still heard.
func hangUp(line *os.File) {
	if conn, err := line.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
	}
}

// guards reports whether a process is the guard's child.
func (t *tree) guards(e entry) bool { return e.ppid == t.process.Pid }

// surelyEmpty: a guard that was killed could not say so.
func (t *tree) surelyEmpty() bool { return t.keeper.empty.Load() }

// sendRoot: the program is the guard's child, so it is looked at first.
func (t *tree) sendRoot(e entry, sig syscall.Signal) { e.send(sig) }

// tend does what is owed to a running tree: it takes away orphans, wakes a guard
// that something stopped, and stops with a program that stopped itself.
func (t *tree) tend() {
	kin.reapOrphans()
	if pid, err := peek(unix.P_PID, t.process.Pid, unix.WSTOPPED); err == nil && pid != 0 {
		_ = t.process.Signal(syscall.SIGCONT)
	}
	if t.keeper.stopped.Swap(false) && t.shared {
		t.stopAlong()
	}
}

// stopAlong gives the terminal back to the shell when the program has stopped
// itself, as pagers and editors do on Ctrl-Z: the shell waits for us. When it
// wakes us, the program goes on.
func (t *tree) stopAlong() {
	e, ok := look(t.root)
	if !ok || !e.stopped || e.ppid != t.process.Pid {
		return
	}
	// To this thread, which is locked: so it stops before it goes on below.
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
	e.send(syscall.SIGCONT)
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
