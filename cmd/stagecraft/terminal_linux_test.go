package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestTerminal runs dev on a real terminal: it is the command's own, with its
// size, its keys and its Ctrl-C, and the command's exit code is ours.
func TestTerminal(t *testing.T) {
	dir := t.TempDir()
	config := `backend: {provider: generic, providers: {generic: {dev: {command: [sh, dev.sh]}}}}`
	script := `trap 'echo interrupted; exit 5' INT
test -t 0 && test -t 1 && test -t 2 && echo "terminal of $(stty size)"
read -r line
echo "read $line"
while :; do sleep 0.05; done
`
	for name, text := range map[string]string{"stagecraft.yml": config, "dev.sh": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), built.bin, "dev")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	cmd.WaitDelay = 10 * time.Second
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 31, Cols: 77})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	lines := bufio.NewReader(terminal)
	expect(t, lines, "terminal of 31 77")
	if _, err := io.WriteString(terminal, "hello\n"); err != nil {
		t.Fatal(err)
	}
	expect(t, lines, "read hello")
	if _, err := io.WriteString(terminal, "\x03"); err != nil {
		t.Fatal(err)
	}
	expect(t, lines, "interrupted")
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit code %d, %v, want 5", code, err)
	}
	rest, _ := io.ReadAll(lines)
	if strings.Contains(string(rest), "error") {
		t.Errorf("it says %q after Ctrl-C", rest)
	}
}

// expect reads until a line has a text; the terminal's end is a failure.
func expect(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("%v while waiting for %q", err, text)
		}
	}
}
