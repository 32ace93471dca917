package clitest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// cmdAhead runs stagecraft on a terminal at which a line was typed before it
// began, types another one once it has asked, and wants an exit code. What the
// terminal shows is the standard output:
// ahead CODE TYPED PROMPT ANSWER ARG...
func cmdAhead(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: ahead CODE TYPED PROMPT ANSWER ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	keyboard, terminal, err := pty.Open()
	ts.Check(err)
	defer keyboard.Close()
	ts.Check(typeAhead(keyboard, terminal, args[1]+"\n"))
	cmd, stop := onTerminal(ts, terminal, args[4:])
	defer stop()
	said := answer(keyboard, args[2], args[3]+"\n")
	fmt.Fprint(ts.Stdout(), said)
	if got := exitCode(ts, cmd); got != want {
		ts.Fatalf("exit code %d, want %d:\n%s", got, want, said)
	}
}

// onTerminal starts stagecraft on a terminal, which is its own then. stop is for
// when it has ended.
func onTerminal(ts *testscript.TestScript, terminal *os.File, args []string) (cmd *exec.Cmd, stop func() bool) {
	cmd = exec.Command(filepath.Join(ts.Getenv("BIN"), "stagecraft"), args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"HOME", "PATH", "XDG_CACHE_HOME", "NO_COLOR", "STAGECRAFT_POLICY", "CI", "DOCKER_HOST"} {
		// One that is set and empty can mean something else.
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	terminal.Close()
	return cmd, time.AfterFunc(Hang, func() { _ = cmd.Process.Kill() }).Stop
}

// exitCode waits for a command's end.
func exitCode(ts *testscript.TestScript, cmd *exec.Cmd) int {
	err := cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		ts.Fatalf("%v", err)
	}
	return cmd.ProcessState.ExitCode()
}

// typeAhead returns once the terminal has what was typed.
func typeAhead(keyboard, terminal *os.File, text string) error {
	if _, err := io.WriteString(keyboard, text); err != nil {
		return err
	}
	for end := time.Now().Add(Hang); time.Now().Before(end); <-time.After(time.Millisecond) {
		if n, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCINQ); err != nil || n == len(text) {
			return err
		}
	}
	return errors.New("the terminal doesn't take what is typed")
}

// answer reads what a terminal shows until its last process has gone, and types
// a text where the prompt is shown.
func answer(keyboard *os.File, prompt, text string) string {
	var said strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := keyboard.Read(b); err != nil {
			return said.String()
		}
		said.Write(b)
		if strings.HasSuffix(said.String(), prompt) {
			_, _ = io.WriteString(keyboard, text)
		}
	}
}
