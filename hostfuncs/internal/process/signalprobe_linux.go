package process

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalProbePrograms are where a signal probe is taken from: it only has to read to the end
// of its input. Our own program can't be one, since the Go runtime unblocks signals.
var signalProbePrograms = []string{"/bin/cat", "/usr/bin/cat"}

// signalProbe is a process of our group that blocks all signals, so that none ends or stops
// it. Those that came to the whole group, the program included, wait at it, and so are
// told from those that came to us alone. See RATIONALE.md, "Why does a signal probe run
// beside us on a terminal?". The nil signal probe knows nothing.
type signalProbe struct {
	mu      sync.Mutex
	process *os.Process
	line    *os.File // closed with us: the signal probe then ends
	waiting uint64   // signals that waited at earlier signal probes, the first at bit 0
}

// startSignalProbe starts one; nil where none can be had.
func startSignalProbe() *signalProbe {
	for _, program := range signalProbePrograms {
		if w, err := startSignalProbeOf(program); err == nil {
			return w
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
	// It inherits what the thread blocks.
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

// blockSignals blocks all signals for the calling thread, until the result is called.
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

// got reports whether our whole group got a signal, and tells of it once; ok is false
// where that isn't known.
func (w *signalProbe) got(sig syscall.Signal) (got, ok bool) {
	if w == nil {
		return false, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting, err := w.pending()
	if err != nil {
		return false, false
	}
	bit := uint64(1) << (sig - 1)
	if waiting&bit != 0 {
		w.renew(bit)
	}
	return waiting&bit != 0, true
}

// pending are the signals that wait at the signal probe, or waited at an earlier one.
func (w *signalProbe) pending() (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.process.Pid))
	if err != nil {
		return 0, err
	}
	// See proc_pid_status(5): the signals of the process as a whole, in hex.
	_, rest, _ := bytes.Cut(status, []byte("\nShdPnd:\t"))
	number, _, _ := bytes.Cut(rest, []byte("\n"))
	set, err := strconv.ParseUint(string(number), 16, 64)
	return set | w.waiting, err
}

// renew puts another signal probe in the place of one at which a signal waits, since no
// other process can take it away. All others that wait are remembered, those too that
// came before the next signal probe was there.
func (w *signalProbe) renew(taken uint64) {
	next := orphans.startSignalProbe()
	waiting, err := w.pending()
	if next == nil || err != nil {
		next.close()
		return // from now on the signal seems to come to all
	}
	w.end()
	w.process, w.line, w.waiting = next.process, next.line, waiting&^taken
}

// close ends the signal probe, and waits for it.
func (w *signalProbe) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
}

func (w *signalProbe) end() {
	w.line.Close()
	_ = w.process.Kill()
	_, _ = w.process.Wait()
	orphans.waited(w.process.Pid)
}
