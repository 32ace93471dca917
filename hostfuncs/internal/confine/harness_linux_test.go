package confine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// user is whom confined programs run as.
type user struct {
	name string
	id   uint32
}

const nobody = 65534

// forUsers runs a test as each user that we can be.
func forUsers(t *testing.T, f func(t *testing.T, u user)) {
	t.Helper()
	if s := Probe(); s.Landlock < ScopeABI || !s.Seccomp {
		t.Skipf("this system cannot confine: %+v", s)
	}
	users := []user{{"user", uint32(os.Getuid())}}
	if os.Getuid() == 0 {
		users = []user{{"root", 0}, {"nobody", nobody}}
	}
	for _, u := range users {
		t.Run(u.name, func(t *testing.T) { f(t, u) })
	}
}

// attr has a process group of its own, by which all is ended.
func (u user) attr() *syscall.SysProcAttr {
	attr := syscall.SysProcAttr{Setpgid: true}
	if int(u.id) != os.Getuid() {
		attr.Credential = &syscall.Credential{Uid: u.id, Gid: u.id}
	}
	return &attr
}

// deadline is for what must end by itself; reaching it fails the test.
const deadline = 15 * time.Minute

// place has a directory to work in and one outside of the rules.
type place struct {
	user
	root, self, in, out string
}

// newPlace makes a directory that all users can reach, unlike t.TempDir.
func newPlace(t testing.TB, u user) place {
	t.Helper()
	root, err := os.MkdirTemp("", "confine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	root, err = filepath.EvalSymlinks(root)
	must(t, err)
	u.needsWay(t, filepath.Dir(root))
	p := place{
		user: u, root: root, self: filepath.Join(root, "bin", "self"),
		in: filepath.Join(root, "in"), out: filepath.Join(root, "out"),
	}
	p.makeDirs(t, root, filepath.Dir(p.self))
	program, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	p.write(t, p.self, string(program), 0o755)
	p.lay(t)
	return p
}

// needsWay skips a test if the user cannot reach the directory for temporary files, such
// as one of root's.
func (u user) needsWay(t testing.TB, dir string) {
	t.Helper()
	for ; int(u.id) != os.Getuid() && dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		must(t, err)
		if info.Mode().Perm()&0o001 == 0 {
			t.Skipf("%s cannot reach %s: set TMPDIR", u.name, dir)
		}
	}
}

// lay gives the two directories what every test finds in them, and nothing else.
func (p place) lay(t testing.TB) {
	t.Helper()
	must(t, os.RemoveAll(p.in))
	must(t, os.RemoveAll(p.out))
	p.makeDirs(t, p.in, p.out, filepath.Join(p.in, "sub"))
	p.write(t, filepath.Join(p.in, "mine"), "mine", 0o600)
	p.write(t, filepath.Join(p.out, "secret"), "secret", 0o600)
	p.write(t, filepath.Join(p.out, "tool"), "#!/bin/sh\n", 0o755)
}

func (p place) makeDirs(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		must(t, os.MkdirAll(dir, 0o755))
		must(t, os.Chmod(dir, 0o755))
		must(t, os.Chown(dir, int(p.id), int(p.id)))
	}
}

func (p place) write(t testing.TB, name, text string, mode os.FileMode) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(text), mode))
	must(t, os.Chown(name, int(p.id), int(p.id)))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rules are what every confined program of a test has.
func (p place) rules() Rules {
	return Rules{
		Exec:  []string{filepath.Dir(p.self), "/usr", "/bin", "/lib", "/lib64"},
		Read:  []string{"/etc/ld.so.cache", "/proc"},
		Write: []string{p.in, "/dev/null"},
	}
}

// guards says how much of the guards is there.
type guards struct {
	// landlock is the version to make do with, 0 for what the system has, -1
	// for none.
	landlock int
	skip     string
	mute     bool
}

// unguarded is without any guard: what is refused then, the system itself refuses.
var unguarded = guards{skip: "undumpable capabilities new landlock seccomp"}

// run confines the test's program, or another one, and returns its output.
func (p place) run(t testing.TB, r Rules, g guards, argv ...string) string {
	t.Helper()
	cmd := p.command(t, r, g, argv...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return strings.TrimSpace(fmt.Sprintf("%s %s (%v)", out.String(), errs.String(), err))
	}
	return strings.TrimSpace(out.String())
}

func (p place) command(t testing.TB, r Rules, g guards, argv ...string) *exec.Cmd {
	t.Helper()
	data, err := json.Marshal(r.Resolved(filepath.EvalSymlinks))
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, p.self, argv...)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Dir, cmd.SysProcAttr = p.in, p.attr()
	cmd.Env = []string{
		roleVar + "=guard", rulesVar + "=" + string(data), skipVar + "=" + g.skip,
		// With the race detector, each program would take a second to end.
		"GORACE=atexit_sleep_ms=0",
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.in, "TMPDIR=" + p.in,
	}
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	for _, fd := range ends {
		end := os.NewFile(uintptr(fd), "line")
		t.Cleanup(func() { _ = end.Close() })
		cmd.ExtraFiles = append(cmd.ExtraFiles, end)
	}
	if g.landlock != 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", levelVar, max(g.landlock, 0)))
	}
	if g.mute {
		cmd.Env = append(cmd.Env, notifyVar+"=1")
	}
	return cmd
}

// outside starts a process of the same user that is not confined.
func (p place) outside(t testing.TB) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.self)
	cmd.Env, cmd.SysProcAttr = []string{roleVar + "=outside", "SECRET=1"}, p.attr()
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// attempt is something that confined programs try, and that one part of the
// guards refuses.
type attempt struct {
	name string
	// argv is what to try: the name of an attempt and its arguments.
	argv []string
	// more is what the rules allow beside the usual.
	more Rules
	want string
	// away is how to take the part away that refuses, and bare what comes of
	// it then.
	away guards
	bare string
	// rootOnly is for what others may never do.
	rootOnly bool
}

// checkAttempts tries each one twice: with all guards, and without that one
// which is to refuse it.
func (p place) checkAttempts(t *testing.T, list []attempt) {
	t.Helper()
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			if a.rootOnly && p.id != 0 {
				t.Skip("only root could do this")
			}
			argv := append([]string{p.self}, a.argv...)
			r := p.rules().With(a.more)
			r.BestEffort = a.more.BestEffort
			if got := p.run(t, r, guards{}, argv...); got != a.want {
				t.Errorf("got %q, want %q", got, a.want)
			}
			if a.away == (guards{}) {
				return
			}
			r.BestEffort = true
			got := p.run(t, r, a.away, argv...)
			if got != a.bare && got == p.run(t, r, unguarded, argv...) {
				t.Skipf("this system itself has %q for it, with no guard there", got)
			}
			if got != a.bare {
				t.Errorf("got %q without %+v, want %q", got, a.away, a.bare)
			}
		})
	}
}
