package bounds

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Needed says whether files may only be opened where that is bounded.
const Needed = true

const (
	// maxFile is how large a file may become, in bytes. The code of a module of 4 MB
	// takes about 14 MB.
	maxFile = 512 << 20
	// maxFiles is how many descriptors the process may have.
	maxFiles = 64
	// lowestPriority still gets a little of a busy processor. A process without that would
	// also end late when it is killed.
	lowestPriority = 19
)

// Enter bounds this process, all of its threads and for good. What it does not
// enforce, the kernel has no means for.
//
// # Errors
//
// After an error the process may be bounded by half, and should end.
func Enter(b Bounds) (Enforced, error) {
	var done Enforced
	if err := closeInherited(); err != nil {
		return done, err
	}
	if err := limitResources(b.Space); err != nil {
		return done, err
	}
	defaultSignal(unix.SIGXCPU)
	if b.Yields {
		// Where the system refuses that, as in some containers, it has the usual priority.
		_ = onAllThreads(unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, lowestPriority)
	}
	// Nobody of the same user reads its memory or attaches to it.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return done, fmt.Errorf("hiding its memory: %w", err)
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return done, fmt.Errorf("setting no_new_privs: %w", err)
	}
	var err error
	if done.Files, err = restrictFiles(b.Dir); err != nil {
		return done, err
	}
	done.Calls, err = restrictCalls(done.Files)
	return done, err
}

// onAllThreads makes a system call in each thread. Threads that come later
// inherit what it does.
func onAllThreads(number uintptr, args ...uintptr) error {
	args = append(args, 0, 0, 0)
	if _, _, errno := psx.Syscall6(number, args[0], args[1], args[2], 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// closeInherited closes the descriptors that whoever started our starter left
// open. Those that this process has opened itself are all closed on exec.
func closeInherited() error {
	const first = 3
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		// Nothing of ours is open yet that is needed.
		return os.NewSyscallError("close_range", unix.CloseRange(first, ^uint(0), 0))
	}
	defer unix.Close(dir)
	buf := make([]byte, 8<<10)
	var names []string
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil {
			return os.NewSyscallError("getdents64", err)
		}
		if n == 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd < first {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return nil
}

// limitResources sets limits that only root could raise again. The limit on
// processor time is the host's, since it changes with what the module does.
func limitResources(space uint64) error {
	limits := map[int]uint64{unix.RLIMIT_FSIZE: maxFile, unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: maxFiles}
	if boundsSpace {
		has, err := addressSpace()
		if err != nil {
			return err
		}
		limits[unix.RLIMIT_AS] = has + space
	}
	for resource, limit := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return os.NewSyscallError("getrlimit", err)
		}
		// It may be lower already, and then only root could raise it.
		limit = min(limit, now.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return os.NewSyscallError("setrlimit", err)
		}
	}
	return nil
}

// addressSpace is how many bytes this process has, most of which Go's runtime
// only reserves.
func addressSpace() (uint64, error) {
	fd, err := unix.Open("/proc/self/statm", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: "/proc/self/statm", Err: err}
	}
	defer unix.Close(fd)
	buf := make([]byte, 256)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return 0, os.NewSyscallError("read", err)
	}
	pages, _, _ := strings.Cut(string(buf[:max(n, 0)]), " ")
	size, err := strconv.ParseUint(pages, 10, 64)
	return size * uint64(os.Getpagesize()), err
}

// defaultSignal undoes that Go's runtime ignores a signal.
func defaultSignal(sig unix.Signal) {
	// The kernel's struct sigaction, with room to spare; all zeros are SIG_DFL.
	var action [8]uintptr
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
