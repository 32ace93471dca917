package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/creack/pty"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// TestTerminalKeys types the keys of a run with processes at a real terminal. The
// terminal stays in its usual mode.
func TestTerminalKeys(t *testing.T) {
	dir := t.TempDir()
	config := `backend:
  provider: generic
  providers:
    generic:
      dev:
        processes:
          db: {command: [sh, -c, "echo opened; exec sleep 1000"]}
          web: {command: [sh, -c, "echo serves; exec sleep 1000"], depends_on: {db: started}, url: "http://localhost:4000"}
`
	if err := os.WriteFile(filepath.Join(dir, "stagecraft.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), clitest.Binary(), "dev")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	cmd.WaitDelay = clitest.Hang
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	lines := bufio.NewReader(terminal)
	say := func(text string) {
		if _, err := io.WriteString(terminal, text); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, lines, "web is ready at http://localhost:4000")
	expect(t, lines, "type ? and Enter to see the keys")
	say("?\n")
	expect(t, lines, "r NAME   restarts the process NAME")
	say("s\n")
	expect(t, lines, "db                   running")
	say("x\n")
	expect(t, lines, `unknown key "x"`)
	say("r nobody\n")
	expect(t, lines, `unknown process "nobody": expected one of db, web`)
	say("r web\n")
	expect(t, lines, "serves")
	say("q\n")
	if err := cmd.Wait(); err != nil {
		t.Errorf("after q: %v", err)
	}
}
