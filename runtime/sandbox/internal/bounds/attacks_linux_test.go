package bounds_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/bounds"
)

// An exploit is simulated by this test binary, which bounds itself as the helper does and
// then makes an attempt: while a module is loaded ("bounded"), and while it runs
// ("narrowed"). Each attempt is also made without bounds, where it must have another result.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[0] == "exploit" {
		exploit(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
		return
	}
	os.Exit(m.Run())
}

// place has the directories of an attempt: one that it may use, and another one.
type place struct{ in, out string }

func exploit(in, out, name, how string) {
	// Other goroutines have other threads.
	runtime.LockOSThread()
	if how != "bare" {
		enforced, err := bounds.Enter(bounds.Bounds{Space: 1 << 30, Dir: in})
		if err == nil && how == "narrowed" {
			err = bounds.Narrow(enforced)
		}
		if err != nil {
			_, _ = os.Stdout.WriteString(err.Error())
			os.Exit(1)
		}
		if !enforced.Files || !enforced.Calls {
			_, _ = os.Stdout.WriteString(tooOld)
			os.Exit(1)
		}
	}
	result := "ok"
	if err := attempts[name].try(place{in, out}); err != nil {
		result = err.Error()
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			result = unix.ErrnoName(errno)
		}
	}
	_, _ = syscall.Write(1, []byte(result))
	os.Exit(0)
}

// TestState looks at a bounded process from outside.
func TestState(t *testing.T) {
	skipIfTooOld(t)
	for user, uid := range users() {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			testState(t, uid)
		})
	}
}

func testState(t *testing.T, uid int) {
	t.Helper()
	p := newPlace(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Args = []string{"exploit", p.in, p.out, "wait", "bounded"}
	cmd.SysProcAttr = as(uid)
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"status": {`CapEff:\t0{15}[0-6]\n`, `CapPrm:\t0{15}[0-6]\n`, `NoNewPrivs:\t1\n`, `Seccomp:\t2\n`},
		"limits": {`Max core file size +0 +0 `, `Max file size +536870912 +536870912 `, `Max open files +64 +64 `},
	} {
		state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), name))
		must(t, err)
		for _, want := range wants {
			if !regexp.MustCompile(want).Match(state) {
				t.Errorf("%s: want %q in %s", name, want, state)
			}
		}
	}
	// The files of a process that others may not look at are root's.
	var memory unix.Stat_t
	must(t, unix.Stat(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "mem"), &memory))
	if memory.Uid != 0 {
		t.Errorf("its memory is that of user %d", memory.Uid)
	}
	must(t, stdin.Close())
	must(t, cmd.Wait())
}

func TestExploits(t *testing.T) {
	skipIfTooOld(t)
	for user, uid := range users() {
		for name, a := range attempts {
			if name == "wait" {
				continue
			}
			t.Run(user+"/"+name, func(t *testing.T) {
				t.Parallel()
				if bare := run(t, name, "bare", newPlace(t), uid); bare != a.bare && !unusual(uid, bare) {
					t.Errorf("without bounds: got %q, want %q", bare, a.bare)
				}
				if raceDetector && strings.Contains(name, "memory") && a.want == "ENOMEM" {
					t.Skip("the race detector takes terabytes")
				}
				if got := run(t, name, "bounded", newPlace(t), uid); got != a.want {
					t.Errorf("got %q, want %q", got, a.want)
				}
				if raceDetector && narrowed[name] == "" {
					return
				}
				want := cmp.Or(narrowed[name], a.want)
				if got := run(t, name, "narrowed", newPlace(t), uid); got != want {
					t.Errorf("while a module runs: got %q, want %q", got, want)
				}
			})
		}
	}
}

func skipIfTooOld(t *testing.T) {
	t.Helper()
	if run(t, "read inside", "bounded", newPlace(t), os.Getuid()) == tooOld {
		t.Skip(tooOld)
	}
}

// users are the users that this process can be.
func users() map[string]int {
	// A process with the race detector takes a second to start.
	if os.Getuid() != 0 || raceDetector {
		return map[string]int{"user": os.Getuid()}
	}
	return map[string]int{"root": 0, "nobody": 65534}
}

// as makes a process of a user.
func as(uid int) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if uid != os.Getuid() {
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	return attr
}

// unusual reports whether an attempt fails without bounds where it is made by a user
// who may not, or in a container, or on a kernel that has no such call.
func unusual(uid int, result string) bool {
	return result == "EPERM" || result == "EACCES" && uid != 0 || result == "ENOSYS"
}

// newPlace makes a place that all users can reach.
func newPlace(t *testing.T) place {
	t.Helper()
	root, err := os.MkdirTemp("", "bounds")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	must(t, os.Chmod(root, 0o777))
	p := place{filepath.Join(root, "in"), filepath.Join(root, "out")}
	for _, dir := range []string{p.in, p.out} {
		must(t, os.Mkdir(dir, 0o777))
		must(t, os.Chmod(dir, 0o777))
		must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o666))
		must(t, os.Chmod(filepath.Join(dir, "file"), 0o666))
	}
	must(t, os.Symlink(filepath.Join(p.out, "file"), filepath.Join(p.in, "link")))
	return p
}

// run makes an attempt in a process of its own, which inherits a file.
func run(t *testing.T, name, how string, p place, uid int) string {
	t.Helper()
	inherited, err := os.Open(filepath.Join(p.out, "file"))
	must(t, err)
	defer inherited.Close()
	// Reaching the deadline fails the test.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{"exploit", p.in, p.out, name, how}
	cmd.ExtraFiles = []*os.File{inherited}
	cmd.SysProcAttr = as(uid)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return "killed by " + unix.SignalName(status.Signal())
		}
	}
	if err != nil && len(out) == 0 {
		return err.Error()
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
