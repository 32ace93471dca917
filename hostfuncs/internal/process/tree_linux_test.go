package process

import (
	"bytes"
	"context"
	"os"
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

// wantNoneSoon waits until no process with a mark is left, and fails if that
// does not happen.
func wantNoneSoon(t *testing.T, word string) {
	t.Helper()
	ctx := testContext(t)
	for {
		adoptedEnd()
		pids := marked(word)
		if len(pids) == 0 && !haveChildren() {
			return
		}
		select {
		case <-ctx.Done():
			for _, pid := range pids {
				finish(pid)
			}
			t.Fatalf("these live on: %v", pids)
		case <-time.After(firstLook):
		}
	}
}

// adoptedEnd waits for those orphans that have ended: they come to this process,
// since it is a subreaper.
func adoptedEnd() {
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || pid == 0 {
			return
		}
	}
}

// finish kills a process, and waits for it if it is or becomes ours.
func finish(pid int) {
	_ = syscall.Kill(pid, syscall.SIGKILL)
	_, _ = syscall.Wait4(pid, nil, 0, nil)
}

func TestMarkedFindsProcesses(t *testing.T) {
	c := helper(t, "wait")
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

// trees are ways to have more than one process; none ends by itself. $SELF prints
// "ready" when it runs, because a shell may lose a signal while it starts a program.
var trees = map[string]string{
	"one":           `exec "$SELF"`,
	"background":    `sleep 1000 & "$SELF"; true`,
	"deep":          `sh -c 'sh -c "sleep 1000 & \"\$SELF\"; true"; true'; true`,
	"own group":     `set -m; "$SELF" & wait`,
	"own session":   `setsid "$SELF" & wait`,
	"just moving":   `"$SELF" & for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done; wait`,
	"daemon":        `setsid sh -c 'sh -c "sleep 1000 & sleep 1000 & \"\$SELF\" & exit" & exit'; exec sleep 1000`,
	"stopped":       `sh -c '"$SELF" & kill -STOP $$' & wait`,
	"keeps outputs": `setsid sleep 1000 & "$SELF" & exec sleep 1000 >/dev/null 2>&1`,
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
	got := expect("got SIGHUP")
	c.Stdout = writerFunc(func(p []byte) (int, error) { ready.Write(p); return got.Write(p) })
	kill := make(chan struct{})
	ctx, cancel := context.WithCancelCause(testContext(t))
	done := launch(ctx, c)
	ready.until(t)
	cancel(NewInterrupted(syscall.SIGHUP, kill))
	got.until(t)
	close(kill)
	if res := (<-done).must(t); res.Signal != "SIGKILL" || got.String() != "ready\ngot SIGHUP\n" {
		t.Errorf("got %+v, %q", res, got)
	}
}

func TestStillInGroup(t *testing.T) {
	self, ok := look(os.Getpid())
	if !ok {
		t.Fatal("cannot read this process")
	}
	ours := tree{root: self.pgid}
	moved, other := self, tree{root: self.pgid + 1}
	moved.pgid = other.root // as it was listed
	if !ours.stillInGroup(self) || other.stillInGroup(self) || other.stillInGroup(moved) {
		t.Error("the group is not the process's own")
	}
	// What has ended has left nothing that still needs the signal.
	gone := moved
	gone.pid = 1 << 30
	if !other.stillInGroup(gone) {
		t.Error("an ended process would be signalled again")
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

// leaveHelper runs a shell that leaves a helper behind, once that is ready.
func leaveHelper(t *testing.T, name string) (Result, Command, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := shell(t, `"$SELF" >fifo & read ready <fifo; exit 3`)
	if err := syscall.Mkfifo(c.Dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	output := expect("signalled")
	c.Env, c.Stderr = append(c.Env, "SELF="+self, helperVar+"="+name), output
	return run(t, c), c, output.String()
}

func TestRemnantsOfRemnantsEndToo(t *testing.T) {
	res, c, _ := leaveHelper(t, "breed")
	if res.ExitCode != 3 || res.Killed {
		t.Errorf("got %+v", res)
	}
	wantNoneLeft(t, c)
}

func TestRemnantsAreSignalledOnce(t *testing.T) {
	res, c, output := leaveHelper(t, "once")
	if res.ExitCode != 3 || res.Killed || output != "signalled once\n" {
		t.Errorf("got %+v, %q", res, output)
	}
	wantNoneLeft(t, c)
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
