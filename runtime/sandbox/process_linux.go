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

// system identifies the helper to the kernel.
type system struct{ pid int }

// startProcess starts the helper. Its standard input and output are one connection, and
// its standard error is a pipe for the output of its runtime.
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
		// The kernel sends the parent-death signal when this thread ends, which is when
		// this function ends.
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

// hasEnded waits until the process has ended or is stopped. After the process has been
// waited for, its PID may belong to another one, so it gets no more signals.
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
		// A stopped process never replies.
		p.end(&CrashError{Reason: "its process was stopped by " + signalName(status.StopSignal())})
	}
	return ended
}

// status says in words how the process ended.
func (p *process) status(status syscall.WaitStatus) string {
	switch {
	case status.Signaled() && status.Signal() == unix.SIGSYS:
		return "it made a forbidden system call"
	case status.Signaled():
		return "killed by " + signalName(status.Signal())
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

// reached is the limit for which the kernel ended the process, or nil.
func reached(p *process, status syscall.WaitStatus) error {
	if status.Signaled() && status.Signal() == unix.SIGXCPU {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.cpuLimit
	}
	return nil
}

func signalName(sig syscall.Signal) string { return unix.SignalName(sig) }

// kill kills the process, which must not have been waited for.
func (s *system) kill() { _ = unix.Kill(s.pid, unix.SIGKILL) }

// cpuTime returns the processor time that the process has used; ok is false if the
// system does not report it.
func (s *system) cpuTime() (used time.Duration, ok bool) {
	const schedule = 2 // CPUCLOCK_SCHED: the time on a processor
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^s.pid<<3|schedule), &now); err != nil {
		return 0, false
	}
	return time.Duration(now.Nano()), true
}

// limitKernelCPU lets the kernel end the process after so much more processor time,
// rounded up to seconds, in case this program is too slow or stopped.
func (s *system) limitKernelCPU(more time.Duration) {
	used, _ := s.cpuTime()
	limit := unix.Rlimit{Cur: uint64((used+more)/time.Second) + 2, Max: unix.RLIM_INFINITY}
	_ = unix.Prlimit(s.pid, unix.RLIMIT_CPU, &limit, nil)
}
