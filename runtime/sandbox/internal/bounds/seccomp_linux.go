//go:build linux && (amd64 || arm64)

package bounds

import (
	"fmt"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// always are the calls for loading and running a module, traced from runs of the tests with an empty
// cache, a warm one and a damaged one.
var always = []rule{
	{number: unix.SYS_READ, why: "frames, and compiled code"},
	{number: unix.SYS_WRITE, why: "frames, and compiled code"},
	{number: unix.SYS_CLOSE, why: "entries of the cache"},
	{number: unix.SYS_MMAP, why: "the heap, stacks, and memory for compiled code"},
	{number: unix.SYS_MUNMAP, why: "the same, given back"},
	{number: unix.SYS_MPROTECT, why: "compiled code becomes executable"},
	{number: unix.SYS_MADVISE, why: "the heap, given back", tests: []test{
		is(2, unix.MADV_DONTNEED, unix.MADV_FREE, unix.MADV_HUGEPAGE, unix.MADV_NOHUGEPAGE, unix.MADV_COLLAPSE, unix.MADV_DONTDUMP),
	}},
	{number: unix.SYS_PRCTL, why: "Go names its mappings", tests: []test{is(0, unix.PR_SET_VMA)}},
	{number: unix.SYS_FUTEX, why: "threads wait for each other", tests: futexes},
	{number: unix.SYS_SCHED_YIELD, why: "the scheduler and the collector spin"},
	{number: unix.SYS_NANOSLEEP, why: "the scheduler's monitor sleeps"},
	{number: unix.SYS_CLOCK_GETTIME, why: "the time, where the kernel offers no faster way"},
	{number: unix.SYS_GETTID, why: "a thread asks for its number"},
	{number: unix.SYS_GETPID, why: "to preempt a thread of its own"},
	{number: unix.SYS_TGKILL, why: "to preempt a thread of its own", tests: []test{is(0, uint32(os.Getpid()))}},
	{number: unix.SYS_RT_SIGPROCMASK, why: "a thread blocks its signals for a moment"},
	{number: unix.SYS_RT_SIGRETURN, why: "a signal handler ends"},
	{number: unix.SYS_SIGALTSTACK, why: "the stack of a thread's signal handlers"},
	{number: unix.SYS_RESTART_SYSCALL, why: "a wait goes on after the process was stopped"},
	{number: unix.SYS_SCHED_GETAFFINITY, why: "how many processors there are, looked up now and then"},
	{number: unix.SYS_PREAD64, why: "the control group's share of processors, looked up now and then"},
	{number: unix.SYS_GETRANDOM, why: "names of temporary files, and random numbers"},
	{number: unix.SYS_EPOLL_CREATE1, why: "Go waits for timers, as of its scavenger, and tries to wait for files"},
	{number: unix.SYS_EPOLL_CTL, why: "the same"},
	{number: unix.SYS_EPOLL_PWAIT, why: "the same"},
	{number: unix.SYS_EVENTFD2, why: "the same"},
	{number: unix.SYS_EXIT, why: "a thread ends"},
	{number: unix.SYS_EXIT_GROUP, why: "the process ends"},
}

// loading are the calls for loading a module, before any of its code runs.
var loading = []rule{
	{number: unix.SYS_CLONE, why: "threads, and no processes", tests: []test{
		{0, unix.CLONE_THREAD | unix.CLONE_VM | unix.CLONE_SIGHAND | newNamespace, []uint32{unix.CLONE_THREAD | unix.CLONE_VM | unix.CLONE_SIGHAND}},
	}},
	{number: unix.SYS_SECCOMP, why: "fewer calls once the module is loaded", tests: []test{
		is(0, unix.SECCOMP_SET_MODE_FILTER), is(1, unix.SECCOMP_FILTER_FLAG_TSYNC),
	}},
}

// files are the calls for the cache. Without Landlock, which bounds them to a directory,
// and once the module is loaded, they are refused.
var files = []rule{
	{number: unix.SYS_OPENAT, why: "an entry, a directory"},
	{number: unix.SYS_NEWFSTATAT, why: "is it a file, a directory"},
	{number: unix.SYS_GETDENTS64, why: "what is in the cache"},
	{number: unix.SYS_MKDIRAT, why: "wazero's directory"},
	{number: unix.SYS_RENAMEAT, why: "a new entry takes its place"},
	{number: unix.SYS_UNLINKAT, why: "a damaged entry, a temporary file"},
	{number: unix.SYS_FSYNC, why: "a new entry is written"},
	{number: unix.SYS_FCNTL, why: "how a file was opened", tests: []test{
		is(1, unix.F_GETFL, unix.F_SETFL, unix.F_GETFD, unix.F_SETFD, unix.F_DUPFD_CLOEXEC),
	}},
}

const newNamespace = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// The offsets in struct seccomp_data.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

const (
	allow  = unix.SECCOMP_RET_ALLOW
	kill   = unix.SECCOMP_RET_KILL_PROCESS
	refuse = unix.SECCOMP_RET_ERRNO
)

// restrictCalls allows only the calls above. It does nothing if the kernel cannot end a
// process by a filter, which is before Linux 4.14.
func restrictCalls(withFiles bool) (done bool, err error) {
	if !hasKill() {
		return false, nil
	}
	allowed := slices.Concat(always, loading, cgoCalls)
	if !withFiles {
		return true, install(compile(allowed, files))
	}
	return true, install(compile(slices.Concat(allowed, files), nil))
}

// narrowCalls adds a filter that refuses files, and ends the process for the calls of
// loading.
func narrowCalls() error { return install(compile(slices.Concat(always, cgoCalls), files)) }

// install adds a filter to those of all threads. A call must pass all of them.
func install(program []unix.SockFilter) error {
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter)))
	switch {
	case errno != 0:
		return fmt.Errorf("installing a seccomp filter: %w", errno)
	case thread != 0:
		return fmt.Errorf("installing a seccomp filter: thread %d has another filter", thread)
	}
	return nil
}

func hasKill() bool {
	action := uint32(kill)
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// compile makes a filter that allows some calls, refuses others, and ends the process for
// the rest. Both architectures are little-endian, so the lower half of an argument is
// first.
func compile(allowed, refused []rule) []unix.SockFilter {
	p := []unix.SockFilter{
		load(offsetArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		answer(kill),
		load(offsetNumber),
	}
	if foreignNumbers != 0 {
		p = append(p, jump(unix.BPF_JGE, foreignNumbers, 0, 1), answer(kill))
	}
	for _, r := range allowed {
		body := r.compile()
		p = append(p, jump(unix.BPF_JEQ, uint32(r.number), 0, uint8(len(body))))
		p = append(p, body...)
	}
	for _, r := range refused {
		p = append(p, jump(unix.BPF_JEQ, uint32(r.number), 0, 1), answer(refuse|uint32(unix.EACCES)))
	}
	// C libraries try clone3 first. A filter cannot read its flags.
	p = append(p, jump(unix.BPF_JEQ, unix.SYS_CLONE3, 0, 1), answer(refuse|uint32(unix.ENOSYS)))
	return append(p, answer(kill))
}

// compile returns the part of the filter that tests the arguments of a call.
func (r rule) compile() []unix.SockFilter {
	var p []unix.SockFilter
	for _, t := range r.tests {
		p = append(p, load(uint32(offsetArgs+8*t.arg)),
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: t.mask})
		for i, value := range t.values {
			// Skip the answer.
			p = append(p, jump(unix.BPF_JEQ, value, uint8(len(t.values)-i), 0))
		}
		p = append(p, answer(kill))
	}
	return append(p, answer(allow))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(how uint16, value uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | how | unix.BPF_K, K: value, Jt: yes, Jf: no}
}

func answer(what uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what}
}
