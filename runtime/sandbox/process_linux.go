package sandbox

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/internal/children"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// system is what the kernel knows the helper by.
type system struct{ pid int }

// startProcess starts the helper with one connection, which is its standard input
// and output, and a pipe for what its runtime prints.
func startProcess(h *Helper, l launch) (*process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "helper"), os.NewFile(uintptr(pair[1]), "host")
	defer theirs.Close()
	printed, stderr, err := os.Pipe()
	if err != nil {
		ours.Close()
		return nil, err
	}
	defer stderr.Close()
	p := &process{conn: frame.NewConn(ours, ours), files: []io.Closer{ours}, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The parent-death signal follows the thread. It ends with this function.
		runtime.LockOSThread()
		err := children.Start(func() (pid int, err error) {
			p.pid, err = h.exec(l, &syscall.ProcAttr{
				Dir: "/", Env: []string{"GOTRACEBACK=none"},
				Files: []uintptr{theirs.Fd(), theirs.Fd(), stderr.Fd()},
				Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
			})
			return p.pid, err
		})
		started <- err
		if err == nil {
			p.reap(printed)
		}
	}()
	if err := <-started; err != nil {
		ours.Close()
		printed.Close()
		return nil, err
	}
	return p, nil
}

// reap waits for the end of the process.
func (p *process) reap(printed *os.File) {
	text := make(chan []byte, 1)
	go func() { text <- readPrinted(printed) }()
	var status syscall.WaitStatus
	for !p.hasEnded(&status) {
	}
	children.Ended(p.pid)
	p.finish(p.status(status), reached(p, status), <-text)
	printed.Close()
}

// hasEnded waits until the process has ended or been stopped. Once it is waited for,
// its number may become another process's, so nothing is done to it then.
func (p *process) hasEnded(status *syscall.WaitStatus) bool {
	err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
	if err == unix.EINTR {
		return false
	}
	p.mu.Lock()
	pid, err := syscall.Wait4(p.pid, status, syscall.WNOHANG|syscall.WUNTRACED, nil)
	stopped := err == nil && pid == p.pid && status.Stopped()
	p.ended = err == nil && pid == p.pid && !stopped || err == unix.ECHILD
	ended := p.ended
	p.mu.Unlock()
	if stopped {
		// It would never answer.
		p.end(&CrashError{Reason: "its process was stopped by " + signalName(status.StopSignal())})
	}
	return ended
}

// status says in words how the process ended.
func (p *process) status(status syscall.WaitStatus) string {
	switch {
	case status.Signaled() && status.Signal() == unix.SIGSYS:
		return "it made a system call that it may not make"
	case status.Signaled():
		return "killed by " + signalName(status.Signal())
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

// reached is the bound for which the kernel ended the process.
func reached(p *process, status syscall.WaitStatus) error {
	if status.Signaled() && status.Signal() == unix.SIGXCPU {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.cpuLimit
	}
	return nil
}

func signalName(sig syscall.Signal) string { return unix.SignalName(sig) }

// kill is called while the process has not been waited for.
func (s *system) kill() { _ = unix.Kill(s.pid, unix.SIGKILL) }

// cpuTime is how much processor time the process has used; ok is false if the system
// does not tell.
func (s *system) cpuTime() (used time.Duration, ok bool) {
	const schedule = 2 // the clock of what the scheduler has given it
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^s.pid<<3|schedule), &now); err != nil {
		return 0, false
	}
	return time.Duration(now.Nano()), true
}

// limitKernelCPU has the kernel end the process when it has used so much processor
// time more, in whole seconds: should we be too slow to, or stopped.
func (s *system) limitKernelCPU(more time.Duration) {
	used, _ := s.cpuTime()
	limit := unix.Rlimit{Cur: uint64((used+more)/time.Second) + 2, Max: unix.RLIM_INFINITY}
	_ = unix.Prlimit(s.pid, unix.RLIMIT_CPU, &limit, nil)
}
