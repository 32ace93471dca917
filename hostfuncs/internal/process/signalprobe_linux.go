package process

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// signalProbePrograms can serve as signal probes: they read to the end of their input.
// Our own program cannot, because the Go runtime unblocks signals.
var signalProbePrograms = []string{"/bin/cat", "/usr/bin/cat"}

// signalProbe is a process of our group that blocks all signals, so that none ends or
// stops it. A signal that is pending there came to the whole group, the program
// included, and not to us alone. See RATIONALE.md, "Why does a signal probe run beside
// us on a terminal?". The nil signal probe knows nothing.
type signalProbe struct {
	mu      sync.Mutex
	process *os.Process
	line    *os.File // closed with us: the signal probe then ends
	waiting uint64   // pending signals of earlier signal probes, signal 1 at bit 0
}

// startSignalProbe starts a signal probe; nil if that is impossible.
func startSignalProbe() *signalProbe {
	for _, program := range signalProbePrograms {
		if p, err := startSignalProbeOf(program); err == nil {
			return p
		}
	}
	return nil
}

func startSignalProbeOf(program string) (*signalProbe, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	input, line, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close()
	unblock := blockSignals()
	// It inherits the signals that the thread blocks.
	process, err := os.StartProcess(program, []string{"cat"}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{input, null, null},
	})
	unblock()
	if err != nil {
		line.Close()
		return nil, err
	}
	return &signalProbe{process: process, line: line}, nil
}

// blockSignals blocks all signals for the calling thread until unblock is called.
func blockSignals() (unblock func()) {
	runtime.LockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before)
	return func() {
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
		runtime.UnlockOSThread()
	}
}

// got reports whether our whole group got a signal, once for each; ok is false if
// that is unknown.
func (p *signalProbe) got(sig syscall.Signal) (got, ok bool) {
	if p == nil {
		return false, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting, err := p.pending()
	if err != nil {
		return false, false
	}
	bit := uint64(1) << (sig - 1)
	if waiting&bit != 0 {
		p.renew(bit)
	}
	return waiting&bit != 0, true
}

// pending returns the signals pending at this signal probe or an earlier one.
func (p *signalProbe) pending() (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.Pid))
	if err != nil {
		return 0, err
	}
	// See proc_pid_status(5): the signals of the process as a whole, in hex.
	_, rest, _ := bytes.Cut(status, []byte("\nShdPnd:\t"))
	number, _, _ := bytes.Cut(rest, []byte("\n"))
	set, err := strconv.ParseUint(string(number), 16, 64)
	return set | p.waiting, err
}

// renew replaces a signal probe that has a pending signal, because no other process can
// clear it. All other pending signals are remembered, including those that came before
// the next signal probe ran.
func (p *signalProbe) renew(taken uint64) {
	next := orphans.startSignalProbe()
	waiting, err := p.pending()
	if next == nil || err != nil {
		next.close()
		return // from now on, this signal seems to come to the whole group
	}
	p.end()
	p.process, p.line, p.waiting = next.process, next.line, waiting&^taken
}

// close ends the signal probe, and waits for it.
func (p *signalProbe) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

func (p *signalProbe) end() {
	p.line.Close()
	_ = p.process.Kill()
	_, _ = p.process.Wait()
	orphans.waited(p.process.Pid)
}

// stopAlong stops us, so that the shell takes the terminal back, when the program has
// stopped itself, as pagers and editors do on Ctrl-Z. When the shell continues us,
// the program is continued.
//
// Ctrl-Z may have stopped us too, and the shell may have continued all since. So the
// signal is sent before the program is inspected: a SIGCONT discards it.
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

// discard removes a blocked signal that is pending for the calling thread.
func discard(sig syscall.Signal) {
	set, now := unix.Sigset_t{}, unix.Timespec{}
	set.Val[0] = 1 << (sig - 1)
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT,
		uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
}
