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
	"unsafe"

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

const (
	killed = "killed by SIGSYS"
	tooOld = "this kernel has no Landlock or seccomp"
)

type attempt struct {
	want, bare string
	try        func(p place) error
}

// call is an attempt to make a system call, which ends the process.
func call(bare string, number uintptr, args ...uintptr) attempt {
	return attempt{killed, bare, func(place) error { return raw(number, args...) }}
}

func raw(number uintptr, args ...uintptr) error {
	args = append(args, 0, 0, 0, 0, 0, 0)
	if _, _, errno := syscall.RawSyscall6(number, args[0], args[1], args[2], args[3], args[4], args[5]); errno != 0 {
		return errno
	}
	return nil
}

func open(path string, flags int) error {
	fd, err := unix.Openat(unix.AT_FDCWD, path, flags|unix.O_CLOEXEC, 0o600)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// text is the address of a text for the kernel.
func text(s string) uintptr {
	b, err := unix.BytePtrFromString(s)
	if err != nil {
		panic(err)
	}
	kept = append(kept, b)
	return uintptr(unsafe.Pointer(b))
}

var (
	kept   []*byte
	parent = uintptr(os.Getppid())
	here   = unix.AT_FDCWD
)

// narrowed has the results while a module runs, where they are others.
var narrowed = map[string]string{
	"read inside":    "EACCES",
	"create inside":  "EACCES",
	"many files":     "EACCES",
	"a file's size":  "EACCES",
	"its own filter": killed,
	"a thread":       killed,
}

var attempts = map[string]attempt{
	// The use of the cache.
	"read inside": {"ok", "ok", func(p place) error { return open(filepath.Join(p.in, "file"), unix.O_RDONLY) }},
	"create inside": {"ok", "ok", func(p place) error {
		return errors.Join(open(filepath.Join(p.in, "new"), unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY),
			unix.Renameat(here, filepath.Join(p.in, "new"), here, filepath.Join(p.in, "other")),
			unix.Unlinkat(here, filepath.Join(p.in, "other"), 0))
	}},

	"its own filter": {"EFAULT", "EFAULT", func(place) error {
		return raw(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, 0)
	}},
	"a file's size": {"ok", "ok", func(place) error {
		return unix.Fstatat(here, "/etc/passwd", new(unix.Stat_t), 0)
	}},

	// Files.
	"read":             {"EACCES", "ok", func(p place) error { return open(filepath.Join(p.out, "file"), unix.O_RDONLY) }},
	"read /etc/passwd": {"EACCES", "ok", func(place) error { return open("/etc/passwd", unix.O_RDONLY) }},
	"read by /proc":    {"EACCES", "ok", func(p place) error { return open("/proc/self/root"+p.out+"/file", unix.O_RDONLY) }},
	"read by ..":       {"EACCES", "ok", func(p place) error { return open(filepath.Join(p.in)+"/../out/file", unix.O_RDONLY) }},
	"read by a link":   {"EACCES", "ok", func(p place) error { return open(filepath.Join(p.in, "link"), unix.O_RDONLY) }},
	"read its memory":  {"EACCES", "ok", func(place) error { return open("/proc/self/mem", unix.O_RDWR) }},
	"list":             {"EACCES", "ok", func(p place) error { return open(p.out, unix.O_RDONLY|unix.O_DIRECTORY) }},
	"write":            {"EACCES", "ok", func(p place) error { return open(filepath.Join(p.out, "file"), unix.O_WRONLY) }},
	"truncate":         {"EACCES", "ok", func(p place) error { return open(filepath.Join(p.out, "file"), unix.O_WRONLY|unix.O_TRUNC) }},
	"create":           {"EACCES", "ok", func(p place) error { return open(filepath.Join(p.out, "new"), unix.O_CREAT|unix.O_WRONLY) }},
	"make a directory": {"EACCES", "ok", func(p place) error { return unix.Mkdirat(here, filepath.Join(p.out, "dir"), 0o700) }},
	"remove":           {"EACCES", "ok", func(p place) error { return unix.Unlinkat(here, filepath.Join(p.out, "file"), 0) }},
	"rename out": {"EACCES", "ok", func(p place) error {
		return unix.Renameat(here, filepath.Join(p.in, "file"), here, filepath.Join(p.out, "stolen"))
	}},
	"rename in": {"EACCES", "ok", func(p place) error {
		return unix.Renameat(here, filepath.Join(p.out, "file"), here, filepath.Join(p.in, "stolen"))
	}},
	"link in": {killed, "ok", func(p place) error {
		return unix.Linkat(here, filepath.Join(p.out, "file"), here, filepath.Join(p.in, "stolen"), 0)
	}},
	"plant a link":     {killed, "ok", func(p place) error { return unix.Symlinkat("/etc/passwd", here, filepath.Join(p.in, "planted")) }},
	"plant a pipe":     {killed, "ok", func(p place) error { return unix.Mkfifoat(here, filepath.Join(p.in, "planted"), 0o600) }},
	"change a mode":    {killed, "ok", func(p place) error { return unix.Fchmodat(here, filepath.Join(p.out, "file"), 0o777, 0) }},
	"truncate by path": {killed, "ok", func(p place) error { return unix.Truncate(filepath.Join(p.out, "file"), 0) }},
	"an inherited file": {"EBADF", "ok", func(place) error {
		_, err := unix.Read(3, make([]byte, 1))
		return err
	}},
	"from another thread": {"EACCES", "ok", func(p place) error {
		result := make(chan error)
		go func() {
			result <- open(filepath.Join(p.out, "file"), unix.O_RDONLY)
		}()
		return <-result
	}},
	// See TestState.
	"wait": {"ok", "ok", func(place) error {
		_, err := unix.Write(1, []byte{' '})
		for n := 1; n > 0 && err == nil; {
			n, err = unix.Read(0, make([]byte, 1))
		}
		return err
	}},
	"many files": {"EMFILE", "ok", func(p place) error {
		for range 100 {
			if _, err := unix.Openat(here, p.in, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
				return err
			}
		}
		return nil
	}},

	// The network.
	"a TCP socket":  call("ok", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM),
	"a UDP socket":  call("ok", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM),
	"a Unix socket": call("ok", unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM),
	"a socket from another thread": {killed, "ok", func(place) error {
		result := make(chan error)
		go func() { result <- raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM) }()
		return <-result
	}},
	"a socket pair": {killed, "ok", func(place) error {
		_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		return err
	}},
	"pass a descriptor": {killed, "ENOTSOCK", func(place) error { return unix.Sendmsg(2, []byte{0}, unix.UnixRights(0), nil, 0) }},

	// Programs and processes.
	"execute":        {killed, "ENOENT", func(place) error { return raw(unix.SYS_EXECVE, text("/none"), 0, 0) }},
	"execute a file": {killed, "EBADF", func(place) error { return raw(unix.SYS_EXECVEAT, 99, text(""), 0, 0, unix.AT_EMPTY_PATH) }},
	"fork":           {killed, "ok", func(place) error { return fork(uintptr(unix.SIGCHLD)) }},
	"a namespace":    {killed, "ok", func(place) error { return fork(uintptr(unix.SIGCHLD) | unix.CLONE_NEWUSER) }},
	"clone3":         {"ENOSYS", "EINVAL", func(place) error { return raw(unix.SYS_CLONE3, 0, 0) }},
	"a thread": {"ok", "ok", func(place) error {
		done := make(chan error)
		// Each of them has a thread of its own until the last one has started.
		for range 100 {
			go func() {
				runtime.LockOSThread()
				done <- nil
			}()
			defer func() { <-done }()
		}
		return nil
	}},
	// Root can have the kernel give up pages of memory in this way.
	"other advice on memory": call("ok", unix.SYS_MADVISE, 0, 0, unix.MADV_WILLNEED),
	"unshare":                call("ok", unix.SYS_UNSHARE, unix.CLONE_FILES),
	"setns":                  call("EBADF", unix.SYS_SETNS, 99, 0),

	// Other processes, first of all who started it.
	"signal the host":         call("ok", unix.SYS_KILL, parent, 0),
	"signal everybody":        call("ok", unix.SYS_KILL, ^uintptr(0), 0),
	"signal a thread of it":   call("ok", unix.SYS_TKILL, parent, 0),
	"signal a thread of its":  call("ok", unix.SYS_TGKILL, parent, parent, 0),
	"signal itself":           {"ok", "ok", func(place) error { return raw(unix.SYS_TGKILL, uintptr(os.Getpid()), uintptr(os.Getpid()), 0) }},
	"queue a signal":          call("EFAULT", unix.SYS_RT_SIGQUEUEINFO, parent, 0, 0),
	"queue one for a thread":  call("EFAULT", unix.SYS_RT_TGSIGQUEUEINFO, parent, parent, 0, 0),
	"open the host":           call("ok", unix.SYS_PIDFD_OPEN, parent, 0),
	"signal by a descriptor":  call("EBADF", unix.SYS_PIDFD_SEND_SIGNAL, 99, 0, 0, 0),
	"take a descriptor":       call("EBADF", unix.SYS_PIDFD_GETFD, 99, 0, 0),
	"signals by a file":       call("ok", unix.SYS_FCNTL, 1, unix.F_SETOWN, parent),
	"its limits":              call("ok", unix.SYS_PRLIMIT64, parent, unix.RLIMIT_NOFILE, 0, 0),
	"its scheduling":          call("ok", unix.SYS_SCHED_GETSCHEDULER, parent),
	"its priority":            call("ok", unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, 19),
	"trace":                   call("ok", unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0, 0),
	"read the host's memory":  call("ok", unix.SYS_PROCESS_VM_READV, parent, 0, 0, 0, 0, 0),
	"write the host's memory": call("ok", unix.SYS_PROCESS_VM_WRITEV, parent, 0, 0, 0, 0, 0),
	"free the host's memory":  call("EBADF", unix.SYS_PROCESS_MRELEASE, 99, 0),
	"compare with the host":   call("ok", unix.SYS_KCMP, parent, parent, 2, 0, 0),

	// Its own bounds.
	"raise a limit":          {killed, "ok", func(place) error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }},
	"outlive the host":       call("ok", unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, 0),
	"be dumpable":            call("ok", unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1),
	"handle a signal":        call("ok", unix.SYS_RT_SIGACTION, uintptr(unix.SIGXCPU), 0, 0, 8),
	"another user":           {killed, "ok", func(place) error { return raw(unix.SYS_SETUID, uintptr(os.Getuid())) }},
	"capabilities":           call("EFAULT", unix.SYS_CAPSET, 0, 0),
	"another filter":         call("EFAULT", unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0),
	"much memory":            {"ENOMEM", "ok", func(place) error { return reserve(4 << 30) }},
	"memory that may be had": {"ok", "ok", func(place) error { return reserve(256 << 20) }},

	// The kernel.
	"mount":             call("EFAULT", unix.SYS_MOUNT, 0, 0, 0, 0, 0),
	"another root":      call("EFAULT", unix.SYS_CHROOT, 0),
	"another directory": call("EFAULT", unix.SYS_CHDIR, 0),
	"io_uring":          call("EFAULT", unix.SYS_IO_URING_SETUP, 1, 0),
	"BPF":               call("EINVAL", unix.SYS_BPF, 999, 0, 0),
	"user faults":       call("EINVAL", unix.SYS_USERFAULTFD, 1<<30),
	"events":            call("EFAULT", unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0),
	"keys":              call("EFAULT", unix.SYS_ADD_KEY, 0, 0, 0, 0, 0),
	"a memory file":     {killed, "ok", func(place) error { return raw(unix.SYS_MEMFD_CREATE, text("x"), 0) }},
	"watch files":       call("ok", unix.SYS_INOTIFY_INIT1, 0),
	"a timer":           call("EFAULT", unix.SYS_TIMER_CREATE, 0, 0, 0),
	"a terminal":        call("ENOTTY", unix.SYS_IOCTL, 1, unix.TIOCSTI, 0),
	"shared memory":     call("ok", unix.SYS_SHMGET, unix.IPC_PRIVATE, 4096, unix.IPC_CREAT|0o600),
	"load a module":     call("EBADF", unix.SYS_FINIT_MODULE, 99, 0, 0),
	"restart":           call("EINVAL", unix.SYS_REBOOT, 0, 0, 0, 0),
}

// fork starts a child that ends at once.
func fork(flags uintptr) error {
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		for {
			_, _, _ = syscall.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
		}
	}
	return nil
}

func reserve(size uintptr) error {
	const private = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_NORESERVE
	_, _, errno := syscall.RawSyscall6(unix.SYS_MMAP, 0, size, unix.PROT_NONE, private, ^uintptr(0), 0)
	if errno != 0 {
		return errno
	}
	return nil
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
