//go:build !linux

package sandbox

import (
	"io"
	"os"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// system is what the system knows the helper by.
type system struct{ process *os.Process }

// startProcess starts the helper with two pipes, since not every system has
// socket pairs, and one for what its runtime prints.
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
		// Windows loads libraries by the second one.
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

// cpuTime is not known: the system does not tell what a running process has used.
func (*system) cpuTime() (used time.Duration, ok bool) { return 0, false }

// limitKernelCPU does nothing here.
func (s *system) limitKernelCPU(time.Duration) {}
