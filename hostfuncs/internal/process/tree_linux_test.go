package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// marked lists the processes whose environment has a word.
func marked(word string) (pids []int) {
	for _, e := range processes() {
		env, _ := os.ReadFile("/proc/" + strconv.Itoa(e.pid) + "/environ")
		if bytes.Contains(env, []byte(word)) && e.pid != os.Getpid() {
			pids = append(pids, e.pid)
		}
	}
	return pids
}

func markOf(c Command) string {
	for _, entry := range c.Env {
		if strings.HasPrefix(entry, markVar+"=") {
			return entry
		}
	}
	return ""
}

// wantNoneLeft fails if a process of a command is left, as a zombie too.
func wantNoneLeft(t testing.TB, c Command) {
	t.Helper()
	for _, pid := range marked(markOf(c)) {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		t.Errorf("process %d is left: %q", pid, line)
		finish(pid)
	}
	if haveChildren() {
		t.Error("a child has not been waited for")
	}
}

// finish kills a process, and waits for it if it is or becomes ours.
func finish(pid int) {
	_ = syscall.Kill(pid, syscall.SIGKILL)
	_, _ = syscall.Wait4(pid, nil, 0, nil)
}

func TestMarkedFindsProcesses(t *testing.T) {
	c := shell(t, "echo ready; exec sleep 1000")
	ready := expect("ready")
	c.Stdout = ready
	ctx, cancel := context.WithCancel(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	if pids := marked(markOf(c)); len(pids) != 1 {
		t.Errorf("found %v", pids)
	}
	cancel()
	<-done
	wantNoneLeft(t, c)
}

// trees are ways to have more than one process; none ends by itself. $SELF says
// "ready" when it is what it will be: a shell may lose a signal that it gets
// while it starts a program.
var trees = map[string]string{
	"one":           `exec "$SELF"`,
	"background":    `sleep 1000 & "$SELF"; true`,
	"deep":          `sh -c 'sh -c "sleep 1000 & \"\$SELF\"; true"; true'; true`,
	"own group":     `set -m; "$SELF" & wait`,
	"own session":   `setsid "$SELF" & wait`,
	"just moving":   `"$SELF" & for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done; wait`,
	"daemon":        `setsid sh -c 'sh -c "sleep 1000 & sleep 1000 & \"\$SELF\" & exit" & exit'; exec sleep 1000`,
	"stopped":       `sh -c '"$SELF" & kill -STOP $$' & wait`,
	"holds outputs": `setsid sleep 1000 & "$SELF" & exec sleep 1000 >/dev/null 2>&1`,
}

// stubborn is a tree that only a kill ends.
const stubborn = `trap "" INT TERM HUP; setsid sleep 1000 & sh -c 'echo ready; sleep 1000 & sleep 1000'; true`

func TestTreeEndsWithContext(t *testing.T) {
	causes := map[string]error{
		"cancel":    context.Canceled,
		"deadline":  context.DeadlineExceeded,
		"interrupt": &Interrupted{Signal: syscall.SIGINT},
		"terminate": &Interrupted{Signal: syscall.SIGTERM},
		"hang up":   &Interrupted{Signal: syscall.SIGHUP},
	}
	for name, script := range trees {
		for why, cause := range causes {
			t.Run(name+"/"+why, func(t *testing.T) {
				res, c := endTree(t, script, deadline, cause)
				if res.Killed || res.Left != 0 {
					t.Errorf("it had to be killed: %+v", res)
				}
				if res.Interrupted == (why == "cancel" || why == "deadline") || res.TimedOut != (why == "deadline") {
					t.Errorf("wrong reason: %+v", res)
				}
				wantNoneLeft(t, c)
			})
		}
	}
}

// endTree runs a tree and ends it, once it is complete, with a cause.
func endTree(t *testing.T, script string, grace time.Duration, cause error) (Result, Command) {
	t.Helper()
	c := shell(t, script)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Env = append(c.Env, "SELF="+self, helperVar+"=wait")
	ready := expect("ready")
	c.Stdout, c.Grace = ready, grace
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	cancel(cause)
	return (<-done).must(t), c
}

func TestTreeIsKilledAfterGrace(t *testing.T) {
	for _, cause := range []error{
		context.DeadlineExceeded, &Interrupted{Signal: syscall.SIGINT}, &Interrupted{Signal: syscall.SIGTERM},
	} {
		for _, grace := range []time.Duration{0, 50 * time.Millisecond} {
			t.Run(cause.Error()+"/"+grace.String(), func(t *testing.T) {
				res, c := endTree(t, stubborn, grace, cause)
				if !res.Killed || res.Signal != "SIGKILL" || res.ExitCode != 137 {
					t.Errorf("got %+v", res)
				}
				wantNoneLeft(t, c)
			})
		}
	}
}

func TestTreeIsKilledAtOnce(t *testing.T) {
	kill := make(chan struct{})
	c := shell(t, stubborn)
	c.Env = append(c.Env, "X=1")
	ready := expect("ready")
	c.Stdout, c.Grace = ready, time.Hour
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	cancel(NewInterrupted(os.Interrupt, kill))
	close(kill)
	if res := (<-done).must(t); !res.Killed || !res.Interrupted || res.Signal != "SIGKILL" {
		t.Errorf("got %+v", res)
	}
	wantNoneLeft(t, c)
}

func TestInterruptedChildMayEndWell(t *testing.T) {
	c := helper(t, "graceful")
	ready := expect("ready")
	c.Stdout = ready
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	cancel(NewInterrupted(os.Interrupt, nil))
	res := (<-done).must(t)
	if res.ExitCode != 0 || !res.Interrupted || res.Killed || ready.String() != "ready\nbye\n" {
		t.Errorf("got %+v, %q", res, ready)
	}
	wantNoneLeft(t, c)
}

func TestFirstSignalIsTheOneGiven(t *testing.T) {
	// Nothing but the signal itself, and then, since the child goes on, a kill.
	c := helper(t, "signals")
	ready := expect("ready")
	told := expect("got SIGHUP")
	c.Stdout = writerFunc(func(p []byte) (int, error) { ready.Write(p); return told.Write(p) })
	kill := make(chan struct{})
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	cancel(NewInterrupted(syscall.SIGHUP, kill))
	told.until(t)
	close(kill)
	if res := (<-done).must(t); res.Signal != "SIGKILL" || told.String() != "ready\ngot SIGHUP\n" {
		t.Errorf("got %+v, %q", res, told)
	}
}

// remnants are ways to leave processes behind; each ends with code 3.
var remnants = map[string]string{
	"background": `sleep 1000 & exit 3`,
	"quiet":      `sleep 1000 </dev/null >/dev/null 2>&1 & exit 3`,
	"own group":  `set -m; sleep 1000 & exit 3`,
	"session":    `setsid sleep 1000 & exit 3`,
	"daemon":     `setsid sh -c 'setsid sleep 1000 & exit'; exit 3`,
}

func TestTreeEndsWithItsChild(t *testing.T) {
	for name, script := range remnants {
		t.Run(name, func(t *testing.T) {
			c := shell(t, script)
			c.Stdout, c.Stderr = expect("-"), expect("-")
			res := run(t, c)
			if res.ExitCode != 3 || res.Killed || res.Interrupted {
				t.Errorf("got %+v", res)
			}
			wantNoneLeft(t, c)
		})
	}
}

func TestRemnantsAreKilledAfterGrace(t *testing.T) {
	c := shell(t, `trap "" TERM; setsid sleep 1000 & exit 3`)
	c.Stdout, c.Grace = expect("-"), 20*time.Millisecond
	if res := run(t, c); res.ExitCode != 3 || !res.Killed {
		t.Errorf("got %+v", res)
	}
	wantNoneLeft(t, c)
}

func TestRemnantsAreKilledAtOnceOnRequest(t *testing.T) {
	// The remnant says so when SIGTERM has come: the child is gone by then.
	c := shell(t, `sh -c 'trap "echo termed" TERM; echo ready; while :; do read x; done' <>"$FIFO" & read x <"$READY"; exit 3`)
	fifo, ready := c.Dir+"/fifo", c.Dir+"/ready"
	for _, path := range []string{fifo, ready} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.Env = append(c.Env, "FIFO="+fifo, "READY="+ready)
	came, termed := expect("ready"), expect("termed")
	c.Stdout = writerFunc(func(p []byte) (int, error) { came.Write(p); return termed.Write(p) })
	c.Grace = time.Hour
	kill := make(chan struct{})
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := launch(ctx, c)
	came.until(t)
	if err := os.WriteFile(ready, []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	termed.until(t)
	cancel(NewInterrupted(os.Interrupt, kill))
	close(kill)
	if res := (<-done).must(t); res.ExitCode != 3 || !res.Killed || res.Interrupted {
		t.Errorf("got %+v", res)
	}
	wantNoneLeft(t, c)
}

func TestOrphansAreWaitedForWhileTheTreeRuns(t *testing.T) {
	c := shell(t, `pid=$(sh -c 'true & echo $!'); while kill -0 $pid 2>/dev/null; do :; done; exit 9`)
	if res := run(t, c); res.ExitCode != 9 || res.TimedOut {
		t.Errorf("the orphan stayed a zombie: %+v", res)
	}
}

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
			// What can't be told from the other tree's may stay, for now.
			if name == "background" || name == "quiet" {
				if pids := marked(markOf(c)); len(pids) != 0 {
					t.Errorf("%s: left %v", name, pids)
				}
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
// or find among strangers.
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

func TestChildDiesWithUs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := startDriver(t, `exec "$0" 1h /bin/sh -c 'echo $$; exec sleep 1000'`, nil, w)
	w.Close()
	var child int
	if _, err := fmt.Fscanln(r, &child); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// The end of the file comes when the child, which has the other end, ends.
	if err := r.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 16)); n != 0 || os.IsTimeout(err) {
		t.Errorf("the child lives on: %d, %v", n, err)
	}
	finish(child)
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
