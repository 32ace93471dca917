package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// startTree starts a driver, below it a command of several processes, and waits
// until these are what they will be. The output has their pipe's other end.
func startTree(t *testing.T, script string) (driver *exec.Cmd, word string) {
	t.Helper()
	r, w := openPipe(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	word = markVar + "=" + mark(t)
	driver = exec.Command(self, "1h", "/bin/sh", "-c", "export "+helperVar+"=wait; "+script)
	driver.Env = append(os.Environ(), helperVar+"=drive", word, "SELF="+self)
	driver.Dir, driver.Stdout, driver.Stderr = t.TempDir(), w, os.Stderr
	// In a group of its own, as in a shell that has job control.
	driver.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	var output string
	if _, err := fmt.Fscan(r, &output); err != nil || output != "ready" {
		t.Fatalf("the tree says %q, %v", output, err)
	}
	return driver, word
}

// guardOf finds the guard of a driver's only command.
func guardOf(t *testing.T, driver int) int {
	t.Helper()
	for _, e := range processes() {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(e.pid) + "/cmdline")
		if e.ppid == driver && bytes.HasPrefix(line, []byte(guard.Name+"\x00")) {
			return e.pid
		}
	}
	t.Fatal("no guard found")
	return 0
}

// TestNothingOutlivesUs kills a driver, alone and with its group: nothing that it started
// may be left.
func TestNothingOutlivesUs(t *testing.T) {
	scripts := map[string]string{"stubborn": stubborn}
	for name, script := range trees {
		scripts[name] = script
	}
	for name, script := range scripts {
		for how, group := range map[string]int{"alone": 1, "with its group": -1} {
			t.Run(name+"/"+how, func(t *testing.T) {
				driver, word := startTree(t, script)
				if err := syscall.Kill(group*driver.Process.Pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				_ = driver.Wait()
				wantNoneSoon(t, word)
			})
		}
	}
}

// TestForksDoNotOutrunTheEnd has a program that never stops to fork.
func TestForksDoNotOutrunTheEnd(t *testing.T) {
	driver, word := startTree(t, `f() { sh -c 'sleep 1000' & setsid sh -c 'sleep 0.01; sleep 1000' & }
(while :; do f; sleep 0.001; done) & "$SELF"`)
	if err := driver.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = driver.Wait()
	wantNoneSoon(t, word)
}

// TestGuardIsKilled: its tree is then reparented to us.
func TestGuardIsKilled(t *testing.T) {
	for name, script := range trees {
		t.Run(name, func(t *testing.T) {
			driver, word := startTree(t, script)
			if err := syscall.Kill(guardOf(t, driver.Process.Pid), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_ = driver.Wait()
			wantNoneSoon(t, word)
		})
	}
}

// TestGuardAndDriverAreKilled expects the command to end although nobody is left to end it:
// the driver is stopped when the guard is killed, and then killed as well.
func TestGuardAndDriverAreKilled(t *testing.T) {
	driver, word := startTree(t, trees["one"])
	guard := guardOf(t, driver.Process.Pid)
	for _, kill := range []struct {
		pid    int
		signal syscall.Signal
	}{{driver.Process.Pid, syscall.SIGSTOP}, {guard, syscall.SIGKILL}, {driver.Process.Pid, syscall.SIGKILL}} {
		if err := syscall.Kill(kill.pid, kill.signal); err != nil {
			t.Fatal(err)
		}
	}
	_ = driver.Wait()
	wantNoneSoon(t, word)
}

// TestGuardIsStopped: it is woken, since nothing would be waited for else. A
// program can be faster than its guard's word that it runs.
func TestGuardIsStopped(t *testing.T) {
	for range 50 {
		c := shell(t, `kill -STOP $PPID; exit 3`)
		if res := run(t, c); res.ExitCode != 3 || res.Killed {
			t.Errorf("got %+v", res)
		}
		wantNoneLeft(t, c)
	}
}

// TestGuardIsKilledEarly: the guard may end before it reports the pid.
func TestGuardIsKilledEarly(t *testing.T) {
	for range 50 {
		c := shell(t, `setsid sleep 1000 & kill -KILL $PPID; exec sleep 1000`)
		if res := run(t, c); res.ExitCode != 137 || res.Signal != "SIGKILL" || res.Left != 0 {
			t.Errorf("got %+v", res)
		}
		wantNoneLeft(t, c)
	}
}

// TestGuardTakesNoOrders: the environment of a command is not its guard's, and
// signals do not end it.
func TestGuardTakesNoOrders(t *testing.T) {
	// Without those that cannot be handled, and the three that end a Go program.
	c := shell(t, `for s in $(seq 64); do case $s in 9|19|32|33|34) ;; *) kill -$s $PPID;; esac; done
tr '\0' '\n' </proc/$PPID/environ; exit 3`)
	out := expect("-")
	c.Env, c.Stdout = append(c.Env, "LD_PRELOAD=/nowhere.so", "GODEBUG=inittrace=1"), out
	if res := run(t, c); res.ExitCode != 3 || out.String() != "" {
		t.Errorf("got %+v, %q", res, out)
	}
}

func TestDescriptorsStayOutside(t *testing.T) {
	// This one is open to every program that we start but through a guard.
	r, w := openPipe(t)
	for _, f := range []*os.File{r, w} {
		if _, err := syscallFcntl(f, syscall.F_SETFD, 0); err != nil {
			t.Fatal(err)
		}
	}
	c := shell(t, `ls /proc/self/fd`)
	out := expect("-")
	c.Stdout = out
	run(t, c)
	// The fourth is that of ls itself, on the directory.
	if out.String() != "0\n1\n2\n3\n" {
		t.Errorf("it sees %q", out)
	}
}

func syscallFcntl(f *os.File, command, argument int) (int, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, uintptr(command), uintptr(argument))
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return 0, err
}
