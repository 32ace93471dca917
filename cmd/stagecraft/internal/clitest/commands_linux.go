package clitest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// questionEnd is the end of every question of stagecraft.
const questionEnd = "[y/N] "

// cmdAsk runs stagecraft on a terminal and gives one answer to each question. The
// number of questions and the exit code must match. An answer "WORD: PROGRAM ARG..."
// runs a program while the question is open. With -ahead a line is typed before
// stagecraft starts. The terminal's output becomes the standard output.
func cmdAsk(ts *testscript.TestScript, args []string) {
	keyboard, terminal, err := pty.Open()
	ts.Check(err)
	defer keyboard.Close()
	if args[0] == "-ahead" {
		ts.Check(typeAhead(keyboard, terminal, args[1]+"\n"))
		args = args[2:]
	}
	cut := slices.Index(args, "--")
	if cut < 1 || len(args) == cut+1 {
		ts.Fatalf("usage: ask [-ahead TYPED] CODE ANSWER... -- ARG...")
	}
	cmd, stop := onTerminal(ts, terminal, args[cut+1:])
	defer stop()
	shown, left := answerEach(ts, keyboard, args[1:cut])
	fmt.Fprint(ts.Stdout(), shown)
	if got := strconv.Itoa(exitCode(ts, cmd)); got != args[0] || left != 0 {
		ts.Fatalf("exit code %s, want %s; %d answers are left:\n%s", got, args[0], left, shown)
	}
}

// answerEach reads a terminal's output until its last process has ended, and types
// the next answer at each question; left is negative if answers were missing.
func answerEach(ts *testscript.TestScript, keyboard *os.File, answers []string) (output string, left int) {
	left = len(answers)
	var shown strings.Builder
	for b := make([]byte, 1); ; {
		if _, err := keyboard.Read(b); err != nil {
			return shown.String(), left
		}
		shown.Write(b)
		if !strings.HasSuffix(shown.String(), questionEnd) {
			continue
		}
		answer := "n"
		if left--; left >= 0 {
			answer = answers[len(answers)-left-1]
		}
		answer, command, with := strings.Cut(answer, ": ")
		if words := strings.Fields(command); with {
			ts.Check(ts.Exec(words[0], words[1:]...))
		}
		_, _ = io.WriteString(keyboard, answer+"\n")
	}
}

// onTerminal starts stagecraft on a terminal. The caller calls stop after its end.
func onTerminal(ts *testscript.TestScript, terminal *os.File, args []string) (cmd *exec.Cmd, stop func() bool) {
	cmd = exec.Command(filepath.Join(ts.Getenv("BIN"), "stagecraft"), args...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"HOME", "PATH", "XDG_CACHE_HOME", "NO_COLOR", "STAGECRAFT_POLICY", "CI", "DOCKER_HOST"} {
		// An empty variable can differ from an unset one.
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

// exitCode waits for a command, and returns its exit code.
func exitCode(ts *testscript.TestScript, cmd *exec.Cmd) int {
	err := cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		ts.Fatalf("%v", err)
	}
	return cmd.ProcessState.ExitCode()
}

// typeAhead types a text, and returns once the terminal has it.
func typeAhead(keyboard, terminal *os.File, text string) error {
	if _, err := io.WriteString(keyboard, text); err != nil {
		return err
	}
	for end := time.Now().Add(Hang); time.Now().Before(end); <-time.After(time.Millisecond) {
		if n, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCINQ); err != nil || n == len(text) {
			return err
		}
	}
	return errors.New("the terminal did not receive the typed text")
}

// cmdSwap exchanges two files or directories as fast as possible until the script ends.
func cmdSwap(ts *testscript.TestScript, args []string) {
	name, other := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	untilEnd(ts, func(int) error {
		return unix.Renameat2(unix.AT_FDCWD, name, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
	})
}
