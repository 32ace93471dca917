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

// Needed is whether files must not be opened without [Enforced].Files.
const Needed = true

const (
	// maxFile bounds the size of a file that the process writes, in bytes. The code of a
	// module of 4 MB takes about 14 MB.
	maxFile = 512 << 20
	// maxFiles bounds the number of descriptors.
	maxFiles = 64
	// lowestPriority still gets a little of a busy processor. A process without that would
	// also end late when it is killed.
	lowestPriority = 19
)

// Enter bounds this process with all its threads, for good. It reports the bounds for
// which this kernel is too old as not enforced.
//
// # Errors
//
// After an error the process may be bounded in part, and must end.
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
	// Other processes of the user can neither read its memory nor trace it.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return done, fmt.Errorf("setting PR_SET_DUMPABLE: %w", err)
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return done, fmt.Errorf("setting no_new_privs: %w", err)
	}
	var err error
	if done.Files, err = restrictFiles(b.Dir); err != nil {
		return done, err
	}
	if err := dropCapabilities(); err != nil {
		return done, err
	}
	done.Calls, err = restrictCalls(done.Files)
	go func() {
		defer close(threadsStarted)
		startThreads()
	}()
	return done, err
}

// capabilities is the argument of capset. It is at the top level, since memory of a stack
// could move.
var capabilities struct {
	header unix.CapUserHeader
	sets   [2]unix.CapUserData
}

// dropCapabilities gives up the rights that root has over the kernel and over the resources
// of others, even where seccomp is missing. Those over files stay: root may need them on
// the way to the cache, and Landlock bounds files.
func dropCapabilities() error {
	c := &capabilities
	c.header.Version = unix.LINUX_CAPABILITY_VERSION_3
	if err := unix.Capget(&c.header, &c.sets[0]); err != nil {
		return os.NewSyscallError("capget", err)
	}
	const files = 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	kept := c.sets[0].Permitted & files
	c.sets = [2]unix.CapUserData{{Effective: kept, Permitted: kept}}
	err := onAllThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&c.header)), uintptr(unsafe.Pointer(&c.sets[0])))
	if err != nil {
		return fmt.Errorf("dropping capabilities: %w", err)
	}
	return nil
}

// Narrow takes files and new threads from a bounded process, for good. Only loading a module
// needs them, before any code of the module runs.
func Narrow(enforced Enforced) error {
	if !enforced.Calls {
		return nil
	}
	<-threadsStarted
	return narrowCalls()
}

// onAllThreads makes a system call in each thread. Later threads inherit its effect.
func onAllThreads(number uintptr, args ...uintptr) error {
	args = append(args, 0, 0, 0)
	if _, _, errno := psx.Syscall6(number, args[0], args[1], args[2], 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// closeInherited closes the descriptors that the parent of the host left open, which both
// inherited. It recognises them by close-on-exec, which Go sets on its own.
func closeInherited() error {
	const first = 3
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		// This process has not opened any that it needs.
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

// limitResources sets limits that cannot be raised again. The host sets the limit on
// processor time, which changes with each request.
func limitResources(space uint64) error {
	limits := map[int]uint64{unix.RLIMIT_FSIZE: maxFile, unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: maxFiles}
	if boundsSpace {
		has, err := addressSpace()
		if err != nil {
			return err
		}
		limits[unix.RLIMIT_AS] = has + space + uint64(countThreads())*threadSpace
	}
	for resource, limit := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return os.NewSyscallError("getrlimit", err)
		}
		// A user cannot raise a limit that is already lower.
		limit = min(limit, now.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return os.NewSyscallError("setrlimit", err)
		}
	}
	return nil
}

// addressSpace returns the address space of this process in bytes, most of which Go's
// runtime only reserves.
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

// defaultSignal restores the default action of a signal that Go's runtime ignores.
func defaultSignal(sig unix.Signal) {
	// At least the size of the kernel's struct sigaction; zeros are SIG_DFL.
	var action [8]uintptr
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
