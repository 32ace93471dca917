package process

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// guardIn is a command that prints its guard's PID and the file that this runs.
func guardIn(t *testing.T, guards *Guards) (c Command, out *transcript) {
	c = shell(t, `echo $PPID $(readlink /proc/$PPID/exe)`)
	out = expect("-")
	c.Guards, c.Stdout = guards, out
	return c, out
}

func newGuards(t *testing.T, program []byte) *Guards {
	guards := NewGuards(program)
	t.Cleanup(guards.Close)
	return guards
}

// TestGuardIsKept: one command after another has the same guard, and commands at the
// same time have different ones.
func TestGuardIsKept(t *testing.T) {
	guards := newGuards(t, buildGuard(t))
	c, out := guardIn(t, guards)
	run(t, c)
	run(t, c)
	first, second, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	if first != second || !strings.HasSuffix(first, " /memfd:"+guard.Name+" (deleted)") {
		t.Errorf("got %q", out)
	}
	other := shell(t, "echo ready; exec sleep 1000")
	ready := expect("ready")
	other.Guards, other.Stdout = guards, ready
	ctx, cancel := context.WithCancel(testContext(t))
	done := launch(ctx, other)
	ready.until(t)
	beside, outBeside := guardIn(t, guards)
	run(t, beside)
	if strings.TrimSpace(outBeside.String()) == first {
		t.Errorf("two commands have the guard %s", first)
	}
	cancel()
	(<-done).must(t)
	guards.Close()
	wantNoneLeft(t, c)
}

// TestGuardStartedAhead takes the guard that was started ahead, but not one that was
// killed or is stopped.
func TestGuardStartedAhead(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"waiting": 0, "killed": unix.SIGKILL, "stopped": unix.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			guards := newGuards(t, buildGuard(t))
			guards.Ahead()
			guards.Ahead()
			ahead := guards.idle[0].process.Pid
			if err := unix.Kill(ahead, signal); err != nil {
				t.Fatal(err)
			}
			if signal == unix.SIGKILL {
				if err := unix.Waitid(unix.P_PID, ahead, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
					t.Fatal(err)
				}
			}
			c, out := guardIn(t, guards)
			run(t, c)
			pid, _, _ := strings.Cut(out.String(), " ")
			if same := pid == strconv.Itoa(ahead); same != (signal != unix.SIGKILL) {
				t.Errorf("guard %d was started ahead, the command has %q", ahead, out)
			}
			guards.Close()
			wantNoneLeft(t, c)
		})
	}
}

// TestGuardWithoutMemoryFiles: our own program is the guard where no memory file can be
// made or executed.
func TestGuardWithoutMemoryFiles(t *testing.T) {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	notExecutable := func() *os.File {
		fd, err := unix.MemfdCreate("guard", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
		if err != nil {
			t.Skip(err)
		}
		return os.NewFile(uintptr(fd), "guard")
	}
	for name, guards := range map[string]*Guards{
		"none embedded":  newGuards(t, nil),
		"not executable": {program: []byte("x"), file: notExecutable()},
		"no program":     newGuards(t, []byte("not a program")),
	} {
		t.Run(name, func(t *testing.T) {
			defer guards.Close()
			c, out := guardIn(t, guards)
			if res, err := Run(testContext(t), c); err != nil || res.ExitCode != 0 || !strings.HasSuffix(strings.TrimSpace(out.String()), " "+self) {
				t.Errorf("got %q, %+v, %v", out, res, err)
			}
		})
	}
}

// TestGuardWithoutExecutableMemory has the kernel refuse memory files that may be
// executed.
func TestGuardWithoutExecutableMemory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change vm.memfd_noexec, in a namespace of its own")
	}
	program := filepath.Join(t.TempDir(), "guard")
	if err := os.WriteFile(program, buildGuard(t), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{"0": "/memfd:" + guard.Name + " (deleted)", "1": "/memfd:" + guard.Name + " (deleted)", "2": self} {
		cmd := exec.CommandContext(testContext(t), "unshare", "--fork", "--pid", "--mount-proc", "sh", "-c",
			`echo $SETTING >/proc/sys/vm/memfd_noexec || exit 77; exec "$SELF" unconfined "$PROGRAM" 'readlink /proc/$PPID/exe'`)
		cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), attackVar+"=cli", "SELF="+self, "PROGRAM="+program, "SETTING="+setting)
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState.ExitCode() != 0 && !strings.Contains(string(out), "result") {
			t.Skipf("%v: %s", err, out)
		}
		if got, _, _ := strings.Cut(string(out), "\n"); got != want {
			t.Errorf("vm.memfd_noexec=%s: got %q, want %q", setting, out, want)
		}
	}
}
