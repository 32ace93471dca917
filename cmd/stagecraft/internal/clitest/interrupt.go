package clitest

import (
	"os"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// interrupted is what a script interrupted last. testscript's own wait tells
// nothing of an exit code.
type interrupted struct{ cmd *exec.Cmd }

type interruptedKey struct{}

// cmdInterrupt sends the signal of Ctrl-C to what was started last in the
// background: interrupt
func cmdInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.BackgroundCmds()
	if neg || len(args) != 0 || len(running) == 0 {
		ts.Fatalf("usage: interrupt, with something in the background")
	}
	last := running[len(running)-1]
	ts.Check(last.Process.Signal(os.Interrupt))
	ts.Value(interruptedKey{}).(*interrupted).cmd = last
}

// cmdEnded wants an exit code of what was interrupted last, once a wait for it
// is over: ended CODE
func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	last := ts.Value(interruptedKey{}).(*interrupted).cmd
	if neg || len(args) != 1 || last == nil || last.ProcessState == nil {
		ts.Fatalf("usage: ended CODE, after interrupt and wait")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := last.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d after the interrupt, want %d", got, want)
	}
}
