package main_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// TestProcessesLeaveNothing kills stagecraft while 16 processes run, each with children
// that left its session: all of them end.
func TestProcessesLeaveNothing(t *testing.T) {
	dir, mark := t.TempDir(), "left-"+rand.Text()
	var config strings.Builder
	config.WriteString("backend:\n  provider: generic\n  providers:\n    generic:\n      dev:\n        processes:\n")
	for i := range 16 {
		fmt.Fprintf(&config, "          p%d: {command: [sh, tree.sh, %s], ready: {log: up}}\n", i, mark)
	}
	tree := `trap '' TERM INT
sh -c 'exec sleep 1000 #'$1 &
setsid sh -c 'trap "" TERM; sleep 1000; : '$1 &
(setsid sh -c '(trap "" TERM; sleep 1000; : '$1') &' &)
echo up
while :; do sleep 1; done
`
	for name, text := range map[string]string{"stagecraft.yml": config.String(), "tree.sh": tree} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), clitest.Binary(), "dev")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	cmd.WaitDelay = clitest.Hang
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	expect(t, bufio.NewReader(stderr), "p9 is ready")
	if n := marked(t, mark); n < 17 {
		t.Errorf("%d processes run, want at least 17", n)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(clitest.Hang); marked(t, mark) > 0; <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d processes are left", marked(t, mark))
		}
	}
}

// marked counts the processes with a mark in their arguments.
func marked(t *testing.T, mark string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && bytes.Contains(data, []byte(mark)) {
			n++
		}
	}
	return n
}
