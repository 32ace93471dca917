package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// TestInitAtOnce: of several that begin one project at the same time, one writes both
// files, and the others leave them.
func TestInitAtOnce(t *testing.T) {
	const processes = 6
	w := clitest.NewWorkspace(t, "")
	w.Write(t, "dev.sh", []byte("echo dev\n"))
	var commands []func() int
	for range processes {
		cmd := w.Command(t, "init", "--yes")
		commands = append(commands, func() int { return clitest.ExitOf(t, cmd.Run()) })
	}
	codes := make([]int, processes)
	var all sync.WaitGroup
	for i, run := range commands {
		all.Go(func() { codes[i] = run() })
	}
	all.Wait()
	slices.Sort(codes)
	if !slices.Equal(codes, []int{0, 1, 1, 1, 1, 1}) {
		t.Errorf("exit codes %d", codes)
	}
	for _, name := range []string{"stagecraft.yml", "stagecraft.policy.yml"} {
		if text := clitest.ReadFile(t, filepath.Join(w.Dir, name)); !strings.Contains(text, "# Written by") {
			t.Errorf("%s: %q", name, text)
		}
	}
	if entries, err := os.ReadDir(w.Dir); err != nil || len(entries) != 4 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
