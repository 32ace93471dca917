//go:build unix && !linux

package process

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// supervisor waits for a program that is our own child, without a guard.
type supervisor struct{ exit chan exited }

func (t *tree) start(c Command, files [3]*os.File) error {
	sys := &syscall.SysProcAttr{Setpgid: !t.shared}
	if t.terminal != nil {
		// The program's standard output is the terminal.
		sys = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	}
	process, err := os.StartProcess(c.Program, c.Argv, &os.ProcAttr{
		// With a nil environment the program would get ours.
		Dir: c.Dir, Env: append([]string{}, c.Env...), Files: files[:],
		Sys: sys,
	})
	if err != nil {
		return err
	}
	t.process, t.root, t.supervisor.exit = process, process.Pid, make(chan exited, 1)
	go func() {
		state, err := process.Wait()
		orphans.waited(process.Pid)
		e := exited{err: err}
		if err == nil {
			status, _ := state.Sys().(syscall.WaitStatus)
			e.code, e.signal = exitStatus(status)
		}
		t.supervisor.exit <- e
	}()
	return nil
}

func (t *tree) exited() <-chan exited { return t.supervisor.exit }

func (t *tree) release() {}

func (t *tree) guards(entry) bool { return false }

func (t *tree) sendRoot(_ entry, sig syscall.Signal) { t.sendProgram(sig) }

func (t *tree) sendProgram(sig syscall.Signal) { _ = t.process.Signal(sig) }

func (Daemon) runsAs(int) bool { return false }

// signalProbe reports signals to our whole process group. Only Linux has one.
type signalProbe struct{ process *os.Process }

func startSignalProbe() *signalProbe { return nil }

func (*signalProbe) got(syscall.Signal) (got, ok bool) { return false, false }

func (*signalProbe) close() {}

// The requests for the mode of a terminal.
const getMode, setMode = unix.TIOCGETA, unix.TIOCSETA

// withDeadlines does nothing: macOS cannot wait for a terminal with other files. Reads
// end with the program, which leads the terminal's session.
// See https://github.com/golang/go/issues/22099.
func withDeadlines(near *os.File) (*os.File, error) { return near, nil }
