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
	cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), "stagecraft"), args[4:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"HOME", "PATH", "XDG_CACHE_HOME", "NO_COLOR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	terminal.Close()
	stop := time.AfterFunc(Hang, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	said := answer(keyboard, args[2], args[3]+"\n")
	err = cmd.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	fmt.Fprint(ts.Stdout(), said)
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d:\n%s", got, want, said)
	}
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
