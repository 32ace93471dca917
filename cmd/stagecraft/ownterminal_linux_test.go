package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// started is a step that starts a script with a terminal of its own.
func started(name, script string, watch ...string) map[string]any {
	return map[string]any{"start": map[string]any{
		"argv": []string{"sh", "-c", script}, "name": name, "terminal": true, "watch": watch,
	}}
}

// waits are steps that wait for the next events.
func waits(n int) (steps []map[string]any) {
	for range n {
		steps = append(steps, map[string]any{"wait": map[string]any{}})
	}
	return steps
}

// ownTerminals is a project whose programs have terminals.
func ownTerminals(t *testing.T, policy string, steps ...map[string]any) clitest.Workspace {
	t.Helper()
	w := clitest.NewWorkspace(t, "")
	w.Play(t, steps)
	w.Drop(t)
	w.Write(t, "stagecraft.policy.yml", []byte("version: 1\nproviders: {player: {exec: ['sh **'], env: {pass: [MARK]}"+policy+"}}"))
	return w
}

// devOnTerminal starts dev on a terminal of 90 columns. The name MARK is in the environment
// of all programs.
func devOnTerminal(t *testing.T, w clitest.Workspace, args ...string) (*exec.Cmd, *os.File, string) {
	t.Helper()
	mark := fmt.Sprintf("MARK=%s-%d-%d", strings.ReplaceAll(t.Name(), "/", "-"), os.Getpid(), time.Now().UnixNano())
	cmd := exec.CommandContext(t.Context(), clitest.Binary(), append([]string{"dev"}, args...)...)
	cmd.Dir, cmd.WaitDelay = w.Dir, clitest.Hang
	cmd.Env = append(os.Environ(), "HOME="+w.Home, "XDG_CACHE_HOME="+clitest.Cache(), "XDG_DATA_HOME=", "CI=", "NO_COLOR=", "TERM=xterm", mark)
	keys, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 31, Cols: 90})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	return cmd, keys, mark
}

// withMark lists the processes with a mark in their environment.
func withMark(mark string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if data, _ := os.ReadFile(file); bytes.Contains(data, []byte(mark)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestOwnTerminals: each of two programs has a terminal of its own with the space that its
// name leaves, and what it prints comes line by line.
func TestOwnTerminals(t *testing.T) {
	const then = "; until test -e go; do sleep 0.01; done; "
	script := func(name string) string {
		return "tty >" + name + "; tty </dev/tty >>" + name + "; until test -e one && test -e three; do sleep 0.01; done; " +
			"test -t 0 && test -t 1 && test -t 2 && stty size; printf '1%%\\r2%%\\n\\033[2J\\033[31mred\\n'; echo up" + then + "printf 'bye '; printf '%s' " + name
	}
	steps := []map[string]any{started("one", script("one"), "up"), started("three", script("three"), "up")}
	steps = append(steps, waits(2)...)
	steps = append(steps, map[string]any{"exec": map[string]any{"argv": []string{"sh", "-c", "touch go"}}})
	w := ownTerminals(t, "", append(steps, waits(2)...)...)
	cmd, keys, _ := devOnTerminal(t, w)
	output, _ := io.ReadAll(keys)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	text := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(string(output), "")
	for _, name := range []string{"one  ", "three"} {
		for _, line := range []string{"31 82", "2%", "red", "up"} {
			if !strings.Contains(text, name+" | "+line+"\r\n") {
				t.Errorf("%s has no line %q:\n%q", name, line, text)
			}
		}
	}
	// The last program is alone on the screen.
	if !strings.Contains(text, "bye one\r\n") || !strings.Contains(text, "bye three\r\n") {
		t.Errorf("the last lines are not in %q", text)
	}
	if !strings.Contains(string(output), "\x1b[33mone   | \x1b[0m\x1b[31mred\x1b[0m\r\n") {
		t.Errorf("no colours: %q", output)
	}
	one, three := clitest.ReadFile(t, filepath.Join(w.Dir, "one")), clitest.ReadFile(t, filepath.Join(w.Dir, "three"))
	for _, names := range []string{one, three} {
		lines := strings.Fields(names)
		if len(lines) != 2 || !strings.HasPrefix(lines[0], "/dev/pts/") || lines[1] != "/dev/tty" {
			t.Errorf("terminals %q", names)
		}
	}
	if one == three {
		t.Errorf("both have %q", one)
	}
}

// TestOwnTerminalProgress: an unfinished line is shown in place, and a prompt appears
// without a line end.
func TestOwnTerminalProgress(t *testing.T) {
	w := ownTerminals(t, "",
		started("a", "sleep 1000"), started("b", "printf 'step 1\\rstep 2'; sleep 1000"), waits(1)[0])
	cmd, keys, _ := devOnTerminal(t, w)
	shown := bufio.NewReader(keys)
	seen := ""
	for !strings.HasSuffix(seen, "step 2") {
		c, err := shown.ReadByte()
		if err != nil {
			t.Fatalf("%v after %q", err, seen)
		}
		seen += string(c)
	}
	if _, err := io.WriteString(keys, "\x03"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(shown)
	_ = cmd.Wait()
	if !strings.Contains(string(rest), "\r\x1b[K") || !strings.Contains(string(rest), "b | \x1b[0mstep 2\r\n") {
		t.Errorf("after Ctrl-C %q", rest)
	}
}

// TestOwnTerminalInterrupt: Ctrl-C comes to each program as one signal. Our terminal is as
// before, with its input.
func TestOwnTerminalInterrupt(t *testing.T) {
	script := "trap 'echo got it; exit 4' INT; echo up; while :; do sleep 0.01; done"
	w := ownTerminals(t, "", append([]map[string]any{started("a", script, "up"), started("b", script, "up")}, waits(5)...)...)
	cmd, keys, mark := devOnTerminal(t, w)
	before, err := term.GetState(int(keys.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	shown := bufio.NewReader(keys)
	for range 2 {
		expect(t, shown, "up\r\n")
	}
	if err := pty.Setsize(keys, &pty.Winsize{Rows: 20, Cols: 70}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(keys, "\x03"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(shown)
	_ = cmd.Wait()
	if n := strings.Count(string(rest), "got it\r\n"); n != 2 {
		t.Errorf("got it %d times: %q", n, rest)
	}
	if after, err := term.GetState(int(keys.Fd())); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("the terminal is in another mode: %v", err)
	}
	if pids := withMark(mark); len(pids) > 0 {
		t.Errorf("processes %v are left", pids)
	}
}

// TestOwnTerminalsKilled: after kill -9, nothing is left of 16 programs that fork and leave
// their session, and no terminal.
func TestOwnTerminalsKilled(t *testing.T) {
	script := `trap '' HUP INT TERM; sleep 1000 & (setsid sh -c 'trap "" HUP; tty >$0; echo up; sleep 1000 & sleep 1000' "tty$N" &); sleep 1000`
	var steps []map[string]any
	for i := range 16 {
		steps = append(steps, started(fmt.Sprintf("p%d", i), fmt.Sprintf("N=%d; ", i)+script, "up"))
	}
	w := ownTerminals(t, "", append(steps, waits(17)...)...)
	cmd, keys, mark := devOnTerminal(t, w)
	shown := bufio.NewReader(keys)
	for range 16 {
		expect(t, shown, "up\r\n") // of the program, not of the provider's messages
	}
	running := len(withMark(mark))
	terminals := []string{}
	for i := range 16 {
		terminals = append(terminals, strings.TrimSpace(clitest.ReadFile(t, filepath.Join(w.Dir, fmt.Sprintf("tty%d", i)))))
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for until := time.Now().Add(clitest.Hang); len(withMark(mark)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d processes ran, and %v are left", running, withMark(mark))
		}
	}
	if running < 16*4 {
		t.Errorf("only %d processes ran", running)
	}
	for _, name := range terminals {
		if _, err := os.Stat(name); err == nil && isOpen(name) {
			t.Errorf("%s is left", name)
		}
	}
}

// isOpen reports whether a process has a terminal open. Another test may have been given
// its number since.
func isOpen(name string) bool {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/[0-2]")
	for _, link := range links {
		if at, _ := os.Readlink(link); at == name {
			owner, _ := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(link)), "environ"))
			return bytes.Contains(owner, []byte("TestOwnTerminalsKilled"))
		}
	}
	return false
}

// TestOwnTerminalConfined: a confined program has its terminal, and cannot open ours.
func TestOwnTerminalConfined(t *testing.T) {
	script := `test -t 0 && stty size && echo by name >"$(tty)" && echo by tty >/dev/tty; ` +
		`for t in /dev/pts/[0-9]*; do test "$t" = "$(tty)" || (echo bad >"$t") 2>/dev/null && echo "wrote to $t"; done; echo end`
	w := ownTerminals(t, ", files: {read: ['.'], write: ['.']}, net: {listen: [], connect: []}", started("a", script), waits(1)[0])
	cmd, keys, _ := devOnTerminal(t, w)
	output, _ := io.ReadAll(keys)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	shown := strings.ReplaceAll(string(output), "\x1b[33ma | \x1b[0m", "")
	if !strings.Contains(shown, "31 86\r\nby name\r\nby tty\r\nend\r\n") || strings.Contains(string(output), "wrote") {
		t.Errorf("got %q", output)
	}
}

// TestTimestampsOnTerminal: with --timestamps, the command of exec has a terminal of its
// own, and Ctrl-C reaches it.
func TestTimestampsOnTerminal(t *testing.T) {
	w := clitest.NewWorkspace(t, "")
	w.Write(t, "stagecraft.yml", []byte(`backend: {provider: generic, providers: {generic: {dev: {command: [sh, dev.sh]}}}}`))
	w.Write(t, "dev.sh", []byte(`trap 'echo interrupted; exit 5' INT; test -t 0 && test -t 1 && stty size; printf 'wait...'; while :; do sleep 0.05; done`))
	cmd, keys, _ := devOnTerminal(t, w, "--timestamps")
	shown := bufio.NewReader(keys)
	expect(t, shown, " 31 77")
	seen := ""
	for !strings.HasSuffix(seen, "wait...") {
		c, err := shown.ReadByte()
		if err != nil {
			t.Fatalf("%v after %q", err, seen)
		}
		seen += string(c)
	}
	if _, err := io.WriteString(keys, "\x03"); err != nil {
		t.Fatal(err)
	}
	expect(t, shown, "wait...interrupted")
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit code %d", code)
	}
}
