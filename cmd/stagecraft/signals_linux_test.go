package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// signalPrinter is a project whose command prints each signal that it gets.
const signalPrinter = `backend: {provider: generic, providers: {generic: {dev: {command: [python3, -u, app.py]}}}}`

// It blocks signals and waits for them: with a handler, a signal between two waits would
// be printed only after the next one.
const signalPrinterProgram = `import signal
every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, every)
print("ready", flush=True)
while True: print("got", int(signal.sigwait(every)), "end", flush=True)
`

// notPassed are the signals that are not passed on; docs/scripting.md says why.
var notPassed = map[syscall.Signal]bool{
	syscall.SIGKILL: true, syscall.SIGSTOP: true, syscall.SIGCHLD: true, syscall.SIGURG: true, syscall.SIGPROF: true, syscall.SIGPIPE: true,
	syscall.SIGXCPU: true, syscall.SIGXFSZ: true, syscall.SIGTSTP: true, syscall.SIGTTIN: true, syscall.SIGTTOU: true, 32: true, 33: true, 34: true,
	// Signals that end the run are passed on too, and are tested elsewhere.
	syscall.SIGINT: true, syscall.SIGTERM: true, syscall.SIGHUP: true,
}

// signalled is a running command whose program prints its signals.
type signalled struct {
	cmd    *exec.Cmd
	lines  *bufio.Reader
	keys   *os.File // of its terminal, nil for none
	output string
}

// startSignalled starts stagecraft in a project with a program.
func startSignalled(t *testing.T, terminal bool, config, program string, args ...string) *signalled {
	t.Helper()
	dir := t.TempDir()
	clitest.WriteFile(t, filepath.Join(dir, "stagecraft.yml"), config, 0o600)
	clitest.WriteFile(t, filepath.Join(dir, "app.py"), program, 0o600)
	// A limit for hangs only.
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Hang)
	t.Cleanup(cancel)
	s := &signalled{cmd: exec.CommandContext(ctx, clitest.Binary(), args...)}
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+clitest.Cache(), "CI=", "TERM=dumb", "PYTHONSTARTUP=")
	if terminal {
		keys, err := pty.Start(s.cmd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { keys.Close() })
		s.keys, s.lines = keys, bufio.NewReader(keys)
	} else {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		s.cmd.Stdout, s.cmd.Stderr, s.lines = w, w, bufio.NewReader(r)
		err = s.cmd.Start()
		w.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// until reads until a text is printed after the last one.
func (s *signalled) until(t *testing.T, text string) {
	t.Helper()
	output := ""
	for !strings.Contains(output, text) {
		b, err := s.lines.ReadByte()
		if err != nil {
			t.Fatalf("%v while waiting for %q: %s%s", err, text, s.output, output)
		}
		output += string(b)
	}
	s.output += output
}

func (s *signalled) send(t *testing.T, who int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(who*s.cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
}

func (s *signalled) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(s.keys, keys); err != nil {
		t.Fatal(err)
	}
}

// interrupt presses Ctrl-C and Enter at a prompt of Python: it handles a signal that
// comes just before it waits for keys only after a key.
func (s *signalled) interrupt(t *testing.T) {
	t.Helper()
	s.press(t, "\x03")
	s.press(t, "\n")
}

// prompts reads until Python's next prompt, and returns false at the end.
func (s *signalled) prompts() bool {
	output := ""
	for !strings.HasSuffix(output, ">>> ") {
		b, err := s.lines.ReadByte()
		if err != nil {
			return false
		}
		output += string(b)
	}
	return true
}

// end waits for the end, and returns the exit code and all output.
func (s *signalled) end(t *testing.T) (int, string) {
	t.Helper()
	// A terminal without processes ends with an error.
	rest, _ := io.ReadAll(s.lines)
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode(), s.output + string(rest)
}

// TestSignalsReachTheProgram: the program gets each signal that is sent to stagecraft
// once, on a terminal and without one.
func TestSignalsReachTheProgram(t *testing.T) {
	for name, terminal := range map[string]bool{"terminal": true, "pipe": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startSignalled(t, terminal, signalPrinter, signalPrinterProgram, "dev")
			s.until(t, "ready")
			for sig := syscall.Signal(1); sig <= 64; sig++ {
				if !notPassed[sig] {
					s.send(t, 1, sig)
					s.until(t, fmt.Sprintf("got %d end", sig))
				}
			}
			for sig := syscall.Signal(1); sig <= 64; sig++ {
				if n := strings.Count(s.output, fmt.Sprintf("got %d end", sig)); !notPassed[sig] && n != 1 {
					t.Errorf("signal %d came %d times", sig, n)
				}
			}
			s.send(t, 1, syscall.SIGTERM)
			s.until(t, "got 15 end")
			s.send(t, 1, syscall.SIGTERM)
			if code, output := s.end(t); code != 130 || strings.Contains(output, "goroutine") {
				t.Errorf("exit code %d: %s", code, output)
			}
		})
	}
}

// TestSignalsOfATerminal: the program gets each signal of its terminal once.
func TestSignalsOfATerminal(t *testing.T) {
	s := startSignalled(t, true, signalPrinter, signalPrinterProgram, "dev")
	s.until(t, "ready")
	s.press(t, "\x1c")
	s.until(t, "got 3 end")
	if err := pty.Setsize(s.keys, &pty.Winsize{Rows: 31, Cols: 77}); err != nil {
		t.Fatal(err)
	}
	s.until(t, "got 28 end")
	s.send(t, -1, syscall.SIGUSR2)
	s.until(t, "got 12 end")
	// It is passed on after all earlier ones.
	s.send(t, 1, syscall.Signal(64))
	s.until(t, "got 64 end")
	s.send(t, 1, syscall.SIGTERM)
	s.until(t, "got 15 end")
	s.send(t, 1, syscall.SIGTERM)
	code, output := s.end(t)
	for _, sig := range []int{3, 12, 28} {
		if n := strings.Count(output, fmt.Sprintf("got %d end", sig)); n != 1 || code != 130 {
			t.Errorf("signal %d came %d times, exit code %d: %s", sig, n, code, output)
		}
	}
}

// TestFatalSignalsEndCommands: if no program runs, a signal for which the Go runtime
// prints a trace ends the command like Ctrl-C.
func TestFatalSignalsEndCommands(t *testing.T) {
	for _, sig := range []syscall.Signal{
		syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS,
	} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			clitest.WriteFile(t, filepath.Join(dir, "stagecraft.yml"), endingProject, 0o600)
			clitest.WriteFile(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n", 0o600)
			endBySignal(t, dir, []string{"build", "--engine", "docker"}, "", silentEngine(t, dir), sig)
		})
	}
}

// repl is a project whose command is Python's prompt, which handles Ctrl-C.
const repl = `backend: {provider: generic, providers: {generic: {dev: {command: [python3, -q], interactive: true}}}}`

// startREPL waits until the prompt has handled a Ctrl-C, and returns its process ID.
func startREPL(t *testing.T) (*signalled, int) {
	t.Helper()
	s := startSignalled(t, true, repl, "", "dev")
	s.until(t, ">>> ")
	s.interrupt(t)
	s.until(t, "KeyboardInterrupt")
	s.until(t, ">>> ")
	// The output must differ from the echoed input.
	s.press(t, "import os; print('pid', 10*os.getpid(), 'end')\n")
	s.until(t, "pid")
	s.until(t, " 'end'")
	var pid int
	s.until(t, "pid ")
	line, err := s.lines.ReadString('\n')
	if _, serr := fmt.Sscanf(line, "%d end", &pid); err != nil || serr != nil {
		t.Fatalf("%q: %v, %v", line, err, serr)
	}
	return s, pid / 10
}

// TestInteractive: Ctrl-C is left to a prompt, and everything else ends it.
func TestInteractive(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *signalled){
		"two Ctrl-C": func(t *testing.T, s *signalled) {
			// A slow machine may need more until two arrive within a second.
			for more := true; more; more = s.prompts() {
				s.interrupt(t)
			}
		},
		"SIGTERM": func(t *testing.T, s *signalled) { s.send(t, 1, syscall.SIGTERM) },
		"SIGHUP":  func(t *testing.T, s *signalled) { s.send(t, 1, syscall.SIGHUP) },
		"the loss of the terminal": func(t *testing.T, s *signalled) {
			// A prompt that reads could end by itself first, because its input ends. So it
			// pauses forever: a handled signal ends one pause.
			s.press(t, "import signal; print('wai' + 'ting'); any(signal.pause() for _ in iter(int, 1))\n")
			s.until(t, "waiting")
			s.until(t, "\n") // Python writes it separately
			if err := s.keys.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, pid := startREPL(t)
			end(t, s)
			if code, output := s.end(t); code != 130 {
				t.Errorf("exit code %d: %s", code, output)
			}
			if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
				t.Errorf("the prompt still runs: %v", err)
			}
		})
	}
}

// TestInteractivePassesSIGINT: SIGINT to stagecraft is passed on, and ends nothing.
func TestInteractivePassesSIGINT(t *testing.T) {
	s := startSignalled(t, true, strings.Replace(signalPrinter, "app.py]", "app.py], interactive: true", 1), signalPrinterProgram, "dev")
	s.until(t, "ready")
	s.send(t, 1, syscall.SIGINT)
	s.until(t, "got 2 end")
	s.send(t, 1, syscall.SIGUSR1)
	s.until(t, "got 10 end")
	if strings.Contains(s.output, "warning") {
		t.Errorf("printed %s", s.output)
	}
	s.send(t, 1, syscall.SIGTERM)
	s.until(t, "got 15 end")
	s.send(t, 1, syscall.SIGTERM)
	if code, output := s.end(t); code != 130 {
		t.Errorf("exit code %d: %s", code, output)
	}
}
