package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/guard"
)

// target is a thread of a process that a command must not reach.
type target struct{ pid, tid int }

func (t target) proc(name string) string {
	return fmt.Sprintf("/proc/%d/task/%d/%s", t.pid, t.tid, name)
}

// attack tries to end or to change a target. It returns nil if the kernel allowed it.
type attack struct {
	name string
	do   func(target) error
	// silent says that the kernel checks later: the target's end is what shows it.
	silent bool
	// harmless is what the kernel itself returns where nothing refuses the attack.
	harmless error
}

func call(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

const sigkill = uintptr(unix.SIGKILL)

// siginfo is the kernel's siginfo_t with si_code SI_QUEUE.
func siginfo() uintptr {
	info := [32]int32{0: int32(unix.SIGKILL), 2: -1}
	return uintptr(unsafe.Pointer(&info))
}

func attacks() []attack {
	pid := func(number uintptr, rest ...uintptr) func(target) error {
		return func(t target) error { return call(number, append([]uintptr{uintptr(t.tid)}, rest...)...) }
	}
	both := func(number uintptr, rest ...uintptr) func(target) error {
		return func(t target) error {
			return call(number, append([]uintptr{uintptr(t.pid), uintptr(t.tid)}, rest...)...)
		}
	}
	var scratch [128]byte
	memory := uintptr(unsafe.Pointer(&scratch))
	list := []attack{
		{name: "kill", do: pid(unix.SYS_KILL, sigkill)},
		{name: "kill of the group", do: func(t target) error {
			group, err := unix.Getpgid(t.pid)
			if err != nil || group <= 1 {
				return errors.Join(err, unix.EPERM)
			}
			return unix.Kill(-group, unix.SIGKILL)
		}},
		{name: "tkill", do: pid(unix.SYS_TKILL, sigkill)},
		{name: "tgkill", do: both(unix.SYS_TGKILL, sigkill)},
		{name: "rt_sigqueueinfo", do: func(t target) error {
			return call(unix.SYS_RT_SIGQUEUEINFO, uintptr(t.tid), sigkill, siginfo())
		}},
		{name: "rt_tgsigqueueinfo", do: func(t target) error {
			return call(unix.SYS_RT_TGSIGQUEUEINFO, uintptr(t.pid), uintptr(t.tid), sigkill, siginfo())
		}},
		{name: "prlimit", do: func(t target) error {
			var limit unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
				return err
			}
			limit.Cur = 100
			return unix.Prlimit(t.tid, unix.RLIMIT_NOFILE, &limit, nil)
		}},
		{name: "sched_setscheduler", do: pid(unix.SYS_SCHED_SETSCHEDULER, 3, memory)},
		{name: "sched_setparam", do: pid(unix.SYS_SCHED_SETPARAM, memory)},
		{name: "sched_setattr", do: func(t target) error {
			return unix.SchedSetAttr(t.tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: 3}, 0)
		}},
		{name: "sched_setaffinity", do: func(t target) error {
			one := [16]uint64{1}
			return call(unix.SYS_SCHED_SETAFFINITY, uintptr(t.tid), unsafe.Sizeof(one), uintptr(unsafe.Pointer(&one)))
		}},
		{name: "setpriority", do: func(t target) error { return unix.Setpriority(unix.PRIO_PROCESS, t.tid, 19) }},
		{name: "setpriority of the group", do: func(t target) error {
			group, err := unix.Getpgid(t.pid)
			return errors.Join(err, unix.Setpriority(unix.PRIO_PGRP, group, 19))
		}},
		{name: "ioprio_set", do: func(t target) error { return call(unix.SYS_IOPRIO_SET, 1, uintptr(t.tid), 3<<13) }},
		{name: "ptrace seize", do: func(t target) error { return unix.PtraceSeize(t.tid) }},
		{name: "ptrace attach", do: func(t target) error { return unix.PtraceAttach(t.tid) }},
		{name: "process_vm_writev", do: func(t target) error { return crossMemory(unix.SYS_PROCESS_VM_WRITEV, t, &scratch[0]) }},
		{name: "process_vm_readv", do: func(t target) error { return crossMemory(unix.SYS_PROCESS_VM_READV, t, &scratch[0]) }},
		{name: "/proc/PID/mem", do: func(t target) error { return openClose(t.proc("mem"), unix.O_RDWR) }},
		{name: "/proc/PID/oom_score_adj", do: func(t target) error { return write(t.proc("oom_score_adj"), "1000") }},
		{name: "/proc/PID/environ", do: func(t target) error { return openClose(t.proc("environ"), unix.O_RDONLY) }},
		{name: "migrate_pages", do: pid(unix.SYS_MIGRATE_PAGES, 0, 0, 0), harmless: unix.EINVAL},
	}
	return append(append(list, pidfdAttacks()...), ownerAttacks()...)
}

func crossMemory(number uintptr, t target, at *byte) error {
	local := unix.Iovec{Base: at}
	local.SetLen(1)
	// Something else is mapped at the same place, or nothing.
	remote := unix.RemoteIovec{Base: uintptr(unsafe.Pointer(at)), Len: 1}
	err := call(number, uintptr(t.tid), uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if err == unix.EFAULT {
		return nil // it was looked at
	}
	return err
}

func openClose(name string, flags int) error {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func write(name, text string) error {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	return err
}

// The flags of pidfd_open and pidfd_send_signal.
const (
	pidfdThread                                = unix.O_EXCL
	signalThread, signalProcess, signalOfGroup = 1, 2, 4
)

func pidfdAttacks() []attack {
	opened := func(open func(target) (int, error), do func(fd int) error) func(target) error {
		return func(t target) error {
			fd, err := open(t)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return do(fd)
		}
	}
	process := func(t target) (int, error) { return unix.PidfdOpen(t.pid, 0) }
	thread := func(t target) (int, error) { return unix.PidfdOpen(t.tid, pidfdThread) }
	directory := func(t target) (int, error) {
		return unix.Open("/proc/"+strconv.Itoa(t.tid), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	task := func(t target) (int, error) {
		return unix.Open(t.proc(""), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	signal := func(flags int) func(int) error {
		return func(fd int) error { return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, flags) }
	}
	list := []attack{
		{name: "process_mrelease", do: opened(process, func(fd int) error { return call(unix.SYS_PROCESS_MRELEASE, uintptr(fd), 0) }), harmless: unix.EINVAL},
		{name: "pidfd_getfd", do: opened(process, func(fd int) error { return call(unix.SYS_PIDFD_GETFD, uintptr(fd), 0, 0) })},
	}
	for name, open := range map[string]func(target) (int, error){
		"a pidfd": process, "a pidfd of a thread": thread, "/proc/TID": directory, "/proc/PID/task/TID": task,
	} {
		for suffix, flags := range map[string]int{"": 0, " to a thread": signalThread, " to a process": signalProcess, " to a group": signalOfGroup} {
			a := attack{name: "pidfd_send_signal on " + name + suffix, do: opened(open, signal(flags))}
			if name == "/proc/PID/task/TID" {
				a.harmless = unix.EBADF
			}
			list = append(list, a)
		}
	}
	return list
}

// ownerAttacks have the kernel signal the owner of a file.
func ownerAttacks() []attack {
	owned := func(own func(fd int, t target) error) func(target) error {
		return func(t target) error {
			ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(ends[0])
			defer unix.Close(ends[1])
			if _, err := unix.FcntlInt(uintptr(ends[0]), unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
				return err
			}
			if err := own(ends[0], t); err != nil {
				return err
			}
			if _, err := unix.FcntlInt(uintptr(ends[0]), unix.F_SETFL, unix.O_ASYNC|unix.O_NONBLOCK); err != nil {
				return err
			}
			_, err = unix.Write(ends[1], []byte("x"))
			return err
		}
	}
	extended := func(kind int32, number func(target) int) func(int, target) error {
		return func(fd int, t target) error {
			owner := [2]int32{kind, int32(number(t))}
			return call(unix.SYS_FCNTL, uintptr(fd), unix.F_SETOWN_EX, uintptr(unsafe.Pointer(&owner)))
		}
	}
	thread := func(t target) int { return t.tid }
	group := func(t target) int { g, _ := unix.Getpgid(t.pid); return g }
	ioctl := func(request uintptr) func(int, target) error {
		return func(fd int, t target) error {
			number := int32(t.tid)
			return call(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&number)))
		}
	}
	set := func(number func(target) int) func(int, target) error {
		return func(fd int, t target) error {
			_, err := unix.FcntlInt(uintptr(fd), unix.F_SETOWN, number(t))
			return err
		}
	}
	return []attack{
		{name: "F_SETOWN", do: owned(set(thread)), silent: true},
		{name: "F_SETOWN of a group", do: owned(set(func(t target) int { return -group(t) })), silent: true},
		{name: "F_SETOWN_EX of a thread", do: owned(extended(0, thread)), silent: true},
		{name: "F_SETOWN_EX of a process", do: owned(extended(1, thread)), silent: true},
		{name: "F_SETOWN_EX of a group", do: owned(extended(2, group)), silent: true},
		{name: "FIOSETOWN", do: owned(ioctl(0x8901)), silent: true},
		{name: "SIOCSPGRP", do: owned(ioctl(0x8902)), silent: true},
	}
}

// attackerMain attacks its guard with one attack, or with "all" its guard and the
// process above that, and reports each result in a line.
func attackerMain(args []string) int {
	guardPID := os.Getppid()
	above, ok := guard.Look(guardPID)
	line, _ := os.ReadFile("/proc/" + strconv.Itoa(guardPID) + "/cmdline")
	if !ok || guardPID <= 1 || above.Parent <= 1 || !strings.HasPrefix(string(line), guard.Name) {
		fmt.Println("no guard")
		return 98
	}
	if args[0] == "beside" {
		attackBeside(above.Parent)
	}
	victims := map[string]int{"guard": guardPID}
	if args[0] == "all" {
		victims["cli"] = above.Parent
	}
	for _, a := range attacks() {
		if args[0] != "all" && args[0] != a.name {
			continue
		}
		for name, pid := range victims {
			for _, tid := range threadsOf(pid) {
				fmt.Printf("%s\t%s\t%v\n", a.name, name, a.do(target{pid, tid}))
			}
		}
	}
	if args[0] == "all" {
		fmt.Printf("kill of all\t-\t%v\n", unix.Kill(-1, unix.SIGCONT))
	}
	if os.Getppid() != guardPID {
		fmt.Println("the guard has ended")
	}
	fmt.Println("done")
	return 0
}

// attackBeside kills the descendants of a process, except itself, as long as it lives.
func attackBeside(cli int) {
	fmt.Println("ready")
	for {
		below := map[int]bool{cli: true}
		for _, p := range guard.Processes() { // a parent usually comes before its children
			if below[p.Parent] && p.PID != os.Getpid() {
				below[p.PID] = true
				_ = unix.Kill(p.PID, unix.SIGKILL)
			}
		}
	}
}

func threadsOf(pid int) (tids []int) {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}
