package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// onTerminal gives a command a terminal of its own with 77 columns and 31 rows.
func onTerminal(c Command, output io.Writer) Command {
	c.Terminal = &Terminal{Size: func() (columns, rows int) { return 77, 31 }}
	c.Stdout = output
	return c
}

// TestOwnTerminal: all streams are one terminal, which is the controlling terminal.
func TestOwnTerminal(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"streams":     {"test -t 0 && test -t 1 && test -t 2 && echo yes", "yes\n"},
		"size":        {"stty size", "31 77\n"},
		"one":         {`test "$(readlink /proc/self/fd/0)" = "$(tty)" && test "$(readlink /proc/self/fd/2)" = "$(tty)" && echo yes`, "yes\n"},
		"controlling": {"echo yes >/dev/tty; echo no >/dev/null", "yes\n"},
		"foreground":  {`set -- $(cat /proc/$$/stat); test "$5" = "$$" && test "$8" = "$$" && echo yes`, "yes\n"},
		"not ours":    {`set -- $(cat /proc/$$/stat); test "$6" != ` + fmt.Sprint(ownSession(t)) + ` && echo yes`, "yes\n"},
		"line ends":   {`printf 'a\nb\r\n'`, "a\nb\r\n"},
		"stderr":      {"echo out; echo err >&2", "out\nerr\n"},
		"job control": {"set -m; sleep 0.01 & wait; (sleep 0.01); echo yes", "yes\n"},
		"last":        {"printf no-newline", "no-newline"},
		"exits":       {"exit 7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			res := run(t, onTerminal(shell(t, tt.script), &out))
			if (res.ExitCode == 7) != (name == "exits") || out.String() != tt.want {
				t.Errorf("got %+v, %q, want %q", res, out.String(), tt.want)
			}
		})
	}
}

func ownSession(t *testing.T) int {
	t.Helper()
	e, ok := look(os.Getpid())
	if !ok {
		t.Fatal("this process is not in the list")
	}
	return e.sid
}

// TestOwnTerminalInput: a program that reads its terminal waits, and its own standard
// input is left to it.
func TestOwnTerminalInput(t *testing.T) {
	c := onTerminal(shell(t, "cat; test -t 1 && echo terminal"), nil)
	var out strings.Builder
	c.Stdin, c.Stdout = strings.NewReader("text\n"), &out
	if run(t, c); out.String() != "text\nterminal\n" {
		t.Errorf("got %q", out.String())
	}
	ready := expect("ready")
	ctx, stop := context.WithCancelCause(testContext(t))
	done := launch(ctx, onTerminal(shell(t, "trap 'echo interrupted; exit 3' INT; echo ready; read line; echo end"), ready))
	ready.until(t)
	stop(NewInterrupted(syscall.SIGINT, nil))
	if res := (<-done).must(t); res.ExitCode != 3 || ready.String() != "ready\ninterrupted\n" {
		t.Errorf("got %+v, %q", res, ready)
	}
}

// TestOwnTerminalResize: the size follows ours.
func TestOwnTerminalResize(t *testing.T) {
	var columns atomic.Int32
	columns.Store(80)
	ready, again := expect("24 80"), expect("24 90")
	c := onTerminal(shell(t, `trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.01; done`), io.MultiWriter(ready, again))
	c.Terminal.Size = func() (int, int) { return int(columns.Load()), 24 }
	done := launch(testContext(t), c)
	ready.until(t)
	columns.Store(90)
	Pass(syscall.SIGWINCH)
	again.until(t)
	(<-done).must(t)
	c.Terminal.Resize() // after the end
}

// TestOwnTerminalEndsOrderly: a server ends in its own way after the program that
// started it. It is not hung up.
func TestOwnTerminalEndsOrderly(t *testing.T) {
	ready := expect("ready")
	script := `sh -c 'trap "" INT; trap "echo hung up" HUP; trap "echo saved; exit" TERM; echo ready; while :; do sleep 0.01; done' & trap 'exit 2' INT; wait`
	ctx, stop := context.WithCancelCause(testContext(t))
	done := launch(ctx, onTerminal(shell(t, script), ready))
	ready.until(t)
	stop(NewInterrupted(syscall.SIGINT, nil))
	if res := (<-done).must(t); res.ExitCode != 2 || res.Killed || !strings.Contains(ready.String(), "saved") || strings.Contains(ready.String(), "hung up") {
		t.Errorf("got %+v, %q", res, ready)
	}
}

// TestOwnTerminalTree: nothing is left of a tree on a terminal, and no terminal is open.
func TestOwnTerminalTree(t *testing.T) {
	for name, script := range remnants {
		t.Run(name, func(t *testing.T) {
			before := terminals(t)
			c := onTerminal(shell(t, script), io.Discard)
			if res := run(t, c); res.ExitCode != 3 || res.Killed {
				t.Errorf("got %+v", res)
			}
			wantNoneLeft(t, c)
			if after := terminals(t); len(after) > len(before) {
				t.Errorf("terminals %v, before %v", after, before)
			}
		})
	}
}

// terminals lists the open terminals of this process.
func terminals(t *testing.T) (open []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && (strings.HasPrefix(name, "/dev/pts/") || strings.HasPrefix(name, "/dev/pt")) {
			open = append(open, name)
		}
	}
	return open
}

// TestOwnTerminalOutput: all that a program printed arrives, also if it is much and the
// program ends at once.
func TestOwnTerminalOutput(t *testing.T) {
	const lines = 20000
	for range 5 {
		var out strings.Builder
		run(t, onTerminal(shell(t, fmt.Sprintf("seq %d; printf last", lines)), &out))
		if n := strings.Count(out.String(), "\n"); n != lines || !strings.HasSuffix(out.String(), fmt.Sprint(lines)+"\nlast") {
			t.Fatalf("%d lines, the end is %q", n, out.String()[max(0, out.Len()-30):])
		}
	}
}

// TestOwnTerminalConfined: a confined program may use its terminal by any of its names,
// and no other terminal.
func TestOwnTerminalConfined(t *testing.T) {
	var out strings.Builder
	script := `echo one >/dev/tty; echo two >"$(tty)"; stty size; stty raw; stty sane; for t in /dev/pts/*; do test "$t" = "$(tty)" || (echo bad >"$t") 2>/dev/null && echo "wrote to $t"; done; echo end`
	c := onTerminal(shell(t, script), &out)
	c.Confine = basis(t)
	c.Confine.Read = append(c.Confine.Read, "/proc", c.Dir)
	res := run(t, c)
	if got := strings.ReplaceAll(out.String(), "\r", ""); res.ExitCode != 0 || got != "one\ntwo\n31 77\nend\n" {
		t.Errorf("got %+v, %q", res, got)
	}
}

// TestOwnTerminalWatched: the program's own terminal is not reported as a use.
func TestOwnTerminalWatched(t *testing.T) {
	g := new(gathered)
	c := onTerminal(shell(t, `echo one >"$(tty)"; ls /dev/pts >/dev/null; cat /etc/hostname`), io.Discard)
	c.Watcher = g
	run(t, c)
	read := false
	for _, u := range g.uses {
		if strings.HasPrefix(u.Path, "/dev/pts") {
			t.Errorf("used %+v", u)
		}
		read = read || u.Path == "/etc/hostname"
	}
	if !read && len(g.missed) == 0 {
		t.Errorf("nothing was seen: %+v", g)
	}
}

// TestOwnTerminalFails: a program that cannot be started leaves no terminal open.
func TestOwnTerminalFails(t *testing.T) {
	before := len(terminals(t))
	c := onTerminal(shell(t, ""), io.Discard)
	c.Program = "/no/such/program"
	if _, err := Run(testContext(t), c); err == nil {
		t.Error("it was started")
	}
	if after := len(terminals(t)); after != before {
		t.Errorf("%d terminals, %d before", after, before)
	}
	c = onTerminal(shell(t, "echo x"), writerFunc(func([]byte) (int, error) { return 0, errors.New("full") }))
	if _, err := Run(testContext(t), c); err == nil || !strings.Contains(err.Error(), "standard output: full") {
		t.Errorf("got %v", err)
	}
}

// TestOwnTerminalTyping: what a program types on its terminal does not come to ours, as it
// does if it shares ours.
func TestOwnTerminalTyping(t *testing.T) {
	for _, own := range []bool{true, false} {
		typed := expect("typed on 4")
		if own {
			t.Setenv(ownTerminalVar, "1")
		} else {
			t.Setenv(ownTerminalVar, "")
		}
		s := drive(t, "1h", []string{"helper:type"}, typed)
		d := s.next(t)
		typed.until(t)
		if d.Result.ExitCode != 0 {
			t.Skipf("this system does not let programs type: %s", typed)
		}
		if d.Input == own {
			t.Errorf("with a terminal of its own %v: our terminal has input %v", own, d.Input)
		}
		if err := s.cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestOwnTerminalCtrlC: Ctrl-C at our terminal comes to the program as one signal, and our
// terminal stays as it was.
func TestOwnTerminalCtrlC(t *testing.T) {
	t.Setenv(ownTerminalVar, "1")
	ready, got := expect("ready"), expect("got SIGINT")
	s := drive(t, "1h", []string{"helper:signals"}, ready, got)
	ready.until(t)
	s.press(t, ctrlC)
	got.until(t)
	s.press(t, ctrlC)
	if res := s.end(t); res.Signal != "SIGKILL" || !res.Interrupted || strings.Count(got.String(), "got SIGINT") != 1 {
		t.Errorf("got %+v, %q", res, got)
	}
}

// TestOwnTerminalFollows: a change of our terminal's size comes to the program.
func TestOwnTerminalFollows(t *testing.T) {
	t.Setenv(ownTerminalVar, "1")
	first, then := expect("first 80 24 <nil>"), expect("then 132 50 <nil>")
	s := drive(t, "1h", []string{"helper:winsize"}, first, then)
	first.until(t)
	if err := pty.Setsize(s.keys, &pty.Winsize{Cols: 132, Rows: 50}); err != nil {
		t.Fatal(err)
	}
	then.until(t)
	s.end(t)
}

// TestOwnTerminalKilled: nothing is left if we are killed, also of what left the terminal's
// session.
func TestOwnTerminalKilled(t *testing.T) {
	t.Setenv(ownTerminalVar, "1")
	first, second := expect("ready 1"), expect("ready 2")
	script := `trap '' HUP INT TERM; (trap '' HUP; sleep 1000) & setsid sh -c 'trap "" HUP; sleep 1000 & echo ready 1; sleep 1000' & echo ready 2; sleep 1000`
	s := drive(t, "1h", []string{"/bin/sh", "-c", script}, first, second)
	first.until(t)
	second.until(t)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	wantNoneSoon(t, s.word)
}
