package build

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestCancelEndsTheStep gives a build up while a step of it runs: it is over
// here, and its process ends, wherever it runs.
func TestCancelEndsTheStep(t *testing.T) { eachRig(t, testCancelEndsTheStep) }

func testCancelEndsTheStep(t *testing.T, r rig) {
	for _, engine := range r.running() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h := hang(ctx, t, r, engine)
			cancel()
			h.wantLine(t, await(t, "the build", h.reply), abi.CodeInterrupted)
			h.step.wantGone(t)
			wantNobody(t)
		})
	}
}

// hanging is a build whose step runs.
type hanging struct {
	site
	reply chan abi.Reply
	step  stepProcess
}

// hang begins one that nothing ends by itself.
func hang(ctx context.Context, t *testing.T, r rig, e Engine) hanging {
	t.Helper()
	mark := rand.Text()
	h := hanging{reply: make(chan abi.Reply, 1)}
	h.site = r.site(t, e, withTool(t, map[string]string{
		"Dockerfile": fmt.Sprintf("FROM scratch\nCOPY tool /tool\nRUN [\"/tool\", \"hang\", %q]\n", mark),
	}))
	hangs := h.progress.comes("hanging\n")
	build := h.begin(ctx, t, "shop:hang", false)
	go func() { h.reply <- build() }()
	select {
	case <-hangs:
	case early := <-h.reply:
		t.Fatalf("it ended: %s %v\n%s", early.OK, early.Error, h.progress)
	}
	h.step = processOf(t, mark)
	h.step.goesOn = e.Kind == Docker && r.about.Podman
	return h
}

// stepProcess is one of a step.
type stepProcess struct {
	handle int
	// goesOn tells that the engine ends no step: Podman 4.3 waits for it.
	goesOn bool
}

// processOf finds the process that has an argument.
func processOf(t *testing.T, argument string) stepProcess {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range commands {
		// One that has ended meanwhile is not the one.
		line, err := os.ReadFile(file)
		if err != nil || !bytes.HasSuffix(line, []byte("hang\x00"+argument+"\x00")) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		handle, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		p := stepProcess{handle: handle}
		t.Cleanup(p.end)
		return p
	}
	t.Fatal("the step has no process")
	return stepProcess{}
}

// end leaves nothing behind of a test that has failed.
func (p stepProcess) end() {
	_ = unix.PidfdSendSignal(p.handle, unix.SIGKILL, nil, 0)
	_ = unix.Close(p.handle)
}

// wantGone waits for its end.
func (p stepProcess) wantGone(t *testing.T) {
	t.Helper()
	if p.goesOn {
		return
	}
	poll := []unix.PollFd{{Fd: int32(p.handle), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll, int(hosttest.Hangs.Milliseconds())); n != 1 || err != nil {
		t.Errorf("the step still runs: %v", err)
	}
}
