package confine

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attempts are what a confined program can try.
func attempts() map[string]func([]string) error {
	return map[string]func([]string) error{
		"read":     func(a []string) error { _, err := os.ReadFile(a[0]); return err },
		"list":     func(a []string) error { _, err := os.ReadDir(a[0]); return err },
		"write":    func(a []string) error { return openClose(a[0], unix.O_WRONLY) },
		"create":   func(a []string) error { return openClose(a[0], unix.O_WRONLY|unix.O_CREAT) },
		"truncate": func(a []string) error { return unix.Truncate(a[0], 0) },
		"remove":   func(a []string) error { return unix.Unlink(a[0]) },
		"mkdir":    func(a []string) error { return unix.Mkdir(a[0], 0o700) },
		"rename":   func(a []string) error { return unix.Rename(a[0], a[1]) },
		"link":     func(a []string) error { return unix.Link(a[0], a[1]) },
		"via-link": tryViaLink,
		"run":      tryRun,
		"mknod":    func(a []string) error { return unix.Mknod(a[0], unix.S_IFBLK|0o600, 1<<8) },
		"setuid":   func(a []string) error { return unix.Chmod(a[0], 0o4755) },

		"tcp":      tryTCP,
		"bind":     tryBind,
		"mptcp":    tryMPTCP,
		"fastopen": tryFastOpen,
		"listen":   tryListen,
		"socket":   trySocket,
		"pair":     tryPair,
		"unix":     func(a []string) error { return tryConnect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: a[0]}) },

		"unix-link": func(a []string) error {
			_ = os.Remove(a[1])
			if err := os.Symlink(a[0], a[1]); err != nil {
				return err
			}
			return tryConnect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: a[1]})
		},
		"unix-thread": func(a []string) error {
			return onThread(func() error { return tryConnect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: a[0]}) })
		},
		"unix-busy":  tryBusy,
		"unix-dgram": func(a []string) error { return tryConnect(unix.SOCK_DGRAM, &unix.SockaddrUnix{Name: a[0]}) },
		"unix-race":  tryRace,
		"udp":        func(a []string) error { return tryConnect(unix.SOCK_DGRAM, loopback(a[0])) },
		"http":       tryDial,

		"kill":         func(a []string) error { return unix.Kill(number(a[0]), unix.SIGCONT) },
		"kill-guard":   func([]string) error { return unix.Kill(os.Getppid(), unix.SIGCONT) },
		"kill-thread":  func([]string) error { return tryThreads(killThread) },
		"pidfd-thread": func([]string) error { return tryThreads(pidfdThread) },
		"kill-all":     func([]string) error { return unix.Kill(-1, unix.SIGCONT) },
		"environ":      func(a []string) error { return readSome("/proc/" + a[0] + "/environ") },
		"guard-memory": func([]string) error {
			return tryThreads(func(pid, tid string) error { return readSome("/proc/" + pid + "/task/" + tid + "/environ") })
		},
		"limits":           tryLimits,
		"schedule-oneself": trySchedulingOneself,
		"ptrace":           func(a []string) error { return unix.PtraceSeize(number(a[0])) },
		"call":             tryCall,
		"always-refused":   tryAlwaysRefused,
		"namespace":        tryNamespace,
		"status":           tryStatus,
		"threads":          tryThreadsOfOwn,
		"nested":           tryNested,

		"raw": tryRaw,
		"seen-from": func(a []string) error {
			dir, err := unix.Open(a[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			fd, err := unix.Openat(dir, a[1], unix.O_RDONLY|unix.O_CLOEXEC, 0)
			return errors.Join(err, unix.Close(fd), unix.Close(dir))
		},
		"twice": func(a []string) error {
			return errors.Join(openClose(a[0], unix.O_RDONLY), openClose(a[0], unix.O_RDONLY))
		},
		"by-thread": func(a []string) error {
			return onThread(func() error { return openClose(a[0], unix.O_RDONLY) })
		},
	}
}

func number(s string) int {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		panic(err)
	}
	return int(n)
}

func openClose(name string, flags int) error {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// readSome fails on an empty file too, which is what the kernel shows of some.
func readSome(name string) error {
	data, err := os.ReadFile(name)
	if err == nil && len(data) == 0 {
		err = unix.ENODATA
	}
	return err
}

func tryViaLink(a []string) error {
	_ = os.Remove(a[1])
	if err := os.Symlink(a[0], a[1]); err != nil {
		return err
	}
	_, err := os.ReadFile(a[1])
	return err
}

func tryRun(a []string) error {
	process, err := os.StartProcess(a[0], a, &os.ProcAttr{})
	if err != nil {
		return err
	}
	_, err = process.Wait()
	return err
}

// tryThreads does something to each thread of the process that confined us,
// and is refused if all are.
func tryThreads(do func(pid, tid string) error) error {
	pid := strconv.Itoa(os.Getppid())
	threads, err := os.ReadDir("/proc/" + pid + "/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		if err = do(pid, t.Name()); err == nil {
			return nil
		}
	}
	return err
}

func killThread(pid, tid string) error {
	return unix.Tgkill(number(pid), number(tid), unix.SIGCONT)
}

func pidfdThread(_, tid string) error {
	fd, err := unix.PidfdOpen(number(tid), unix.PIDFD_THREAD)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.PidfdSendSignal(fd, unix.SIGCONT, nil, 0)
}

func tryLimits(a []string) error {
	return unix.Prlimit(number(a[0]), unix.RLIMIT_CPU, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}, nil)
}

// ioprioLow is the last of the best-effort class, see ioprio_set(2).
const ioprioLow = 2<<13 | 7

// trySchedulingOneself is what nice, taskset and ionice do before they become the
// program.
func trySchedulingOneself([]string) error {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	_, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_SET, 1, 0, ioprioLow)
	if errno != 0 {
		return errno
	}
	return errors.Join(unix.SchedSetaffinity(0, &all), unix.Setpriority(unix.PRIO_PROCESS, 0, 19))
}

// tryCall makes a system call with the arguments that it is given.
func tryCall(a []string) error {
	var args [6]uintptr
	for i, s := range a[1:] {
		args[i] = uintptr(number(s))
	}
	_, _, errno := unix.RawSyscall6(uintptr(number(a[0])), args[0], args[1], args[2], args[3], args[4], args[5])
	if errno != 0 {
		return errno
	}
	return nil
}

// tryAlwaysRefused makes each system call that no rule allows, with invalid arguments, and
// reports those that were not refused.
func tryAlwaysRefused([]string) error {
	var open []string
	for _, c := range alwaysRefused() {
		const bad = ^uintptr(0)
		_, _, errno := unix.RawSyscall6(c.number, bad, bad, bad, bad, bad, bad)
		if refuse(errno) != c.answer {
			open = append(open, strconv.Itoa(int(c.number)))
		}
	}
	if len(open) > 0 {
		return errors.New("some are open")
	}
	return nil
}

func tryNamespace([]string) error {
	process, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER},
	})
	if err != nil {
		return err
	}
	return process.Kill()
}

// tryStatus reports the capabilities of a started program.
func tryStatus(a []string) error {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(data) {
		if text := string(line); strings.HasPrefix(text, a[0]+":") {
			return errors.New(strings.Join(strings.Fields(text), " "))
		}
	}
	return unix.ENODATA
}

// tryThreadsOfOwn sees that signals among our own threads and to ourselves work.
func tryThreadsOfOwn([]string) error {
	var limit unix.Rlimit
	if _, _, errno := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CPU, 0, uintptr(unsafe.Pointer(&limit)), 0, 0); errno != 0 {
		return errno
	}
	if err := unix.Kill(os.Getpid(), unix.SIGCONT); err != nil {
		return err
	}
	return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGCONT)
}

func errnoError(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// tryNested confines once more.
func tryNested([]string) error {
	return onThread(func() error {
		p, err := Rules{Read: []string{"/proc"}, Listen: []uint16{1}}.Prepare(Probe(), []int{1})
		if err != nil {
			return err
		}
		defer p.Close()
		if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, p.Ruleset.Fd(), 0, 0); errno != 0 {
			return errno
		}
		filter := []byte(p.Restrictions.Filter)
		prog := unix.SockFprog{Len: uint16(len(filter) / 8), Filter: (*unix.SockFilter)(unsafe.Pointer(&filter[0]))}
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
		return errnoError(errno)
	})
}
