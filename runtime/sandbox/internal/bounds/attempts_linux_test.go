package bounds_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	killed = "killed by SIGSYS"
	tooOld = "this kernel has no Landlock or seccomp"
)

// attempt has the results within bounds and without.
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
		for range 20 {
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
