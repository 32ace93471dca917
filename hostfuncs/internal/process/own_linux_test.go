package process

import (
	"os"
	"syscall"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/children"
)

// startOwn starts a process that the program waits for itself, and returns what
// ends it and tells whether it was still running.
func startOwn(t *testing.T) (end func() (running bool)) {
	t.Helper()
	var own *os.Process
	err := children.Start(func() (int, error) {
		var err error
		own, err = os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{
			Sys: &syscall.SysProcAttr{Setpgid: true},
		})
		if err != nil {
			return 0, err
		}
		return own.Pid, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() bool {
		defer children.Ended(own.Pid)
		e, ok := look(own.Pid)
		_ = own.Kill()
		_, _ = own.Wait()
		return ok && !e.zombie
	}
}

// TestOwnProcessesAreLeftAlone has a process of the program's own that is no
// command: it was started before a command, or while one runs.
func TestOwnProcessesAreLeftAlone(t *testing.T) {
	before := startOwn(t)
	if haveUnknownChildren() {
		t.Error("a process of our own is taken for one of others")
	}
	long := shell(t, `setsid sh -c 'echo ready; exec sleep 1000'`)
	ready := expect("ready")
	long.Stdout = ready
	done := launch(testContext(t), long)
	ready.until(t)
	meanwhile := startOwn(t)
	// Its guard is gone, so that what it started is looked for among our children.
	guards := marked(markOf(long))
	orphans.mu.Lock()
	for tree := range orphans.trees {
		_ = tree.process.Kill()
	}
	orphans.mu.Unlock()
	<-done
	if len(guards) == 0 {
		t.Error("the command had no processes")
	}
	for _, pid := range guards {
		if _, ok := look(pid); ok {
			finish(pid)
		}
	}
	if !before() || !meanwhile() {
		t.Error("a process of our own was ended with a command")
	}
}
