package sandbox

import (
	"os"

	"github.com/stagecraft-dev/stagecraft/internal/children"
	"github.com/stagecraft-dev/stagecraft/internal/memfile"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// CheckMemory executes the helper from memory without a module, which ends it at once.
// It returns nil for a nil Helper, which needs no memory file.
func (h *Helper) CheckMemory() error {
	if h == nil {
		return nil
	}
	memory, err := h.module.memory()
	if err != nil {
		return err
	}
	var p *os.Process
	err = children.Start(func() (int, error) {
		// Its standard streams are closed.
		files := []*os.File{nil, nil, nil, memory}
		if p, err = os.StartProcess(memfile.Path(3), []string{frame.ProgramName}, &os.ProcAttr{Files: files}); err != nil {
			return 0, err
		}
		return p.Pid, nil
	})
	if err != nil {
		return err
	}
	defer children.Ended(p.Pid)
	_, err = p.Wait()
	return err
}
