package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTreesDoNotDisturbEachOther(t *testing.T) {
	long := shell(t, `setsid sh -c 'echo ready; exec sleep 1000' & read x; echo "read $x"`)
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ready := expect("ready")
	long.Stdin, long.Stdout = in, ready
	done := launch(testContext(t), long)
	ready.until(t)

	for range 5 {
		for name, script := range remnants {
			c := shell(t, script)
			if res := run(t, c); res.ExitCode != 3 {
				t.Errorf("%s: got %+v", name, res)
			}
			if pids := marked(markOf(c)); len(pids) != 0 {
				t.Errorf("%s: left %v", name, pids)
			}
		}
	}
	if pids := marked(markOf(long)); len(pids) != 2 {
		t.Errorf("the long command has processes %v", pids)
	}
	if _, err := feed.WriteString("on\n"); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if res := (<-done).must(t); res.ExitCode != 0 || !strings.Contains(ready.String(), "read on") {
		t.Errorf("got %+v, %q", res, ready)
	}
	wantNoneLeft(t, long)
}

func TestManyAtOnce(t *testing.T) {
	var all []<-chan outcome
	var commands []Command
	for range 8 {
		for _, script := range remnants {
			c := shell(t, script)
			commands = append(commands, c)
			all = append(all, launch(testContext(t), c))
		}
	}
	for _, done := range all {
		if res := (<-done).must(t); res.ExitCode != 3 {
			t.Errorf("got %+v", res)
		}
	}
	for _, c := range commands {
		wantNoneLeft(t, c)
	}
}

// startDriver runs a command below a process of its own, which a test may kill
// or find among foreign children.
func startDriver(t *testing.T, script string, env []string, out *os.File) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", "-c", script, self)
	cmd.Env = append(append(os.Environ(), helperVar+"=drive"), env...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, os.Stderr, t.TempDir()
	cmd.ExtraFiles = []*os.File{out}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestStrangersAreLeftAlone(t *testing.T) {
	word := markVar + "=" + mark(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// The driver takes the shell's place, and its background job for a child.
	script := `(sleep 1000 >/dev/null 2>&1 3>&- & ); sleep 1000 >/dev/null 2>&1 3>&- & exec "$0" 1h /bin/sh -c 'exit 3'`
	cmd := startDriver(t, script, []string{word}, w)
	w.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	pids := marked(word)
	if len(pids) != 2 {
		t.Errorf("of two background jobs there are %v", pids)
	}
	// Since the driver ended they are ours: orphans come to us here too.
	for _, pid := range pids {
		finish(pid)
	}
}
