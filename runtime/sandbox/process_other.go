//go:build !linux

package sandbox

import (
	"io"
	"os"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// system identifies the helper to the system.
type system struct{ process *os.Process }

// startProcess starts the helper. Its connection is two pipes, since not every system has
// socket pairs, and its standard error is a pipe for the output of its runtime.
func startProcess(h *Helper, l launch) (*process, error) {
	var open []*os.File
	pipe := func() (r, w *os.File, err error) {
		r, w, err = os.Pipe()
		if err == nil {
			open = append(open, r, w)
		}
		return r, w, err
	}
	closeAll := func() {
		for _, f := range open {
			f.Close()
		}
	}
	stdin, out, err := pipe()
	if err != nil {
		return nil, err
	}
	in, stdout, err := pipe()
	if err != nil {
		closeAll()
		return nil, err
	}
	printed, stderr, err := pipe()
	if err != nil {
		closeAll()
		return nil, err
	}
	helper, err := h.exec(l, &os.ProcAttr{
		// Windows needs SYSTEMROOT to load libraries.
		Env: []string{"GOTRACEBACK=none", "SYSTEMROOT=" + os.Getenv("SYSTEMROOT")}, Files: []*os.File{stdin, stdout, stderr},
	})
	if err != nil {
		closeAll()
		return nil, err
	}
	for _, theirs := range []*os.File{stdin, stdout, stderr} {
		theirs.Close()
	}
	p := &process{conn: frame.NewConn(in, out), files: []io.Closer{in, out}, system: system{helper}, done: make(chan struct{})}
	go func() {
		text := readPrinted(printed)
		state, err := helper.Wait()
		status := state.String()
		if err != nil {
			status = err.Error()
		}
		p.finish(status, nil, text)
		printed.Close()
	}()
	return p, nil
}

func (s *system) kill() { _ = s.process.Kill() }

// cpuTime reports false: these systems do not report the processor time of a process.
func (*system) cpuTime() (used time.Duration, ok bool) { return 0, false }

// limitKernelCPU does nothing: these systems have no such limit.
func (s *system) limitKernelCPU(time.Duration) {}
