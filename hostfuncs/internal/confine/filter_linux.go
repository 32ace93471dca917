package confine

import (
	"slices"

	"golang.org/x/sys/unix"
)

// newFilter lists the system calls that are not simply allowed.
func newFilter(r Rules, s Support, protected []int) []call {
	return slices.Concat(
		alwaysRefused(), namespaces(), protect(protected), files(s.Landlock >= ScopeABI), scheduling(), setuidBit(), network(r, s),
	)
}

// alwaysRefused are calls that no rule allows: they reach into other processes or the
// kernel, or bypass this filter.
func alwaysRefused() []call {
	var calls []call
	for _, number := range slices.Concat([]uintptr{
		// Other processes.
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
		unix.SYS_PERF_EVENT_OPEN, unix.SYS_PROCESS_MRELEASE,
		// What the kernel runs, and its keys.
		unix.SYS_BPF, unix.SYS_USERFAULTFD, unix.SYS_KEXEC_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE,
		unix.SYS_DELETE_MODULE, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_REBOOT,
		unix.SYS_SYSLOG, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD,
		// Mounts, and files by number.
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT,
		unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT,
		unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_BY_HANDLE_AT,
	}, archRefused) {
		calls = append(calls, call{number: number, answer: refuse(unix.EPERM)})
	}
	// With ENOSYS a program takes the kernel for too old, and does without.
	for _, number := range []uintptr{unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER} {
		calls = append(calls, call{number: number, answer: refuse(unix.ENOSYS)})
	}
	return calls
}

const newNamespace = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// namespaces keeps a process in its namespaces: in a new one it would have all
// capabilities. The flags of clone3 are in memory, which a filter cannot read; the C
// library falls back to clone.
func namespaces() []call {
	return []call{
		without(unix.SYS_UNSHARE, 0, newNamespace|unix.CLONE_NEWTIME, unix.EPERM),
		// The bit of CLONE_NEWTIME is part of the signal here.
		without(unix.SYS_CLONE, 0, newNamespace, unix.EPERM),
		{number: unix.SYS_CLONE3, answer: refuse(unix.ENOSYS)},
		{number: unix.SYS_SETNS, answer: refuse(unix.EPERM)},
	}
}

// protect refuses signals to processes. From [ScopeABI] on Landlock refuses them too,
// for each of their threads.
func protect(processes []int) []call {
	const everyone = -1
	targets := []int{everyone}
	for _, p := range processes {
		targets = append(targets, p, -p) // a guard leads a process group
	}
	calls := []call{refused(unix.SYS_KILL, 0, targets...)}
	for _, number := range []uintptr{
		unix.SYS_TKILL, unix.SYS_TGKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_PIDFD_OPEN,
	} {
		calls = append(calls, refused(number, 0, processes...))
	}
	return append(calls, call{
		// 0 is the calling process, anything else can be any process of the user.
		number: unix.SYS_PRLIMIT64, answer: refuse(unix.EPERM),
		cases: []when{{tests: []test{is(0, 0)}, answer: allow}},
	})
}

// refused allows a call except with one of the values as an argument.
func refused(number uintptr, arg int, values ...int) call {
	c := call{number: number, answer: allow}
	for _, v := range values {
		c.cases = append(c.cases, when{tests: []test{is(arg, uint32(v))}, answer: refuse(unix.EPERM)})
	}
	return c
}

// FIOSETOWN and SIOCSPGRP, which are like F_SETOWN.
const fioSetOwn, siocSetGroup = 0x8901, 0x8902

// files keeps a process from inserting input into its terminal, which the user's shell
// shares, and from signals that a file sends to a process that is named in memory. If
// Landlock does not scope signals, no file may send one to another process.
func files(scoped bool) []call {
	owner := []int{unix.F_SETOWN_EX}
	requests := []int{unix.TIOCSTI, unix.TIOCLINUX}
	var calls []call
	if !scoped {
		owner = append(owner, unix.F_SETOWN, unix.F_SETSIG)
		requests = append(requests, fioSetOwn, siocSetGroup)
		// Programs fall back to kill.
		calls = []call{{number: unix.SYS_PIDFD_SEND_SIGNAL, answer: refuse(unix.ENOSYS)}}
	}
	return append(calls, refused(unix.SYS_FCNTL, 1, owner...), refused(unix.SYS_IOCTL, 1, requests...))
}

// scheduling keeps a process from changing the scheduling of the user's other
// processes, which Landlock does not control. A filter cannot know the numbers of a
// process's own threads, so only the calling thread, 0, is allowed.
func scheduling() []call {
	const ofProcess = 1 // IOPRIO_WHO_PROCESS
	own := func(number uintptr, tests ...test) call {
		return call{number: number, cases: []when{{tests: tests, answer: allow}}, answer: refuse(unix.EPERM)}
	}
	return []call{
		own(unix.SYS_SCHED_SETSCHEDULER, is(0, 0)),
		own(unix.SYS_SCHED_SETPARAM, is(0, 0)),
		own(unix.SYS_SCHED_SETATTR, is(0, 0)),
		own(unix.SYS_SCHED_SETAFFINITY, is(0, 0)),
		// Groups and users include other processes.
		own(unix.SYS_SETPRIORITY, is(0, unix.PRIO_PROCESS), is(1, 0)),
		own(unix.SYS_IOPRIO_SET, is(0, ofProcess), is(1, 0)),
	}
}

// setuidBit keeps root from setting the set-user-ID bit of any file, which Landlock
// does not control.
func setuidBit() []call {
	calls := []call{
		without(unix.SYS_FCHMOD, 1, unix.S_ISUID, unix.EPERM),
		without(unix.SYS_FCHMODAT, 2, unix.S_ISUID, unix.EPERM),
		without(unix.SYS_FCHMODAT2, 2, unix.S_ISUID, unix.EPERM),
	}
	for _, number := range archChmod {
		calls = append(calls, without(number, 1, unix.S_ISUID, unix.EPERM))
	}
	return calls
}

// sockType masks the flags of a socket's type.
const sockType = 0xf

// Fast Open connects a socket by sending, which Landlock does not control.
const msgFastOpen = unix.MSG_FASTOPEN

// network allows the types of sockets that Landlock can restrict or that the rules
// allow.
func network(r Rules, s Support) []call {
	mode := r.socketMode(s)
	cases := local(mode)
	// Without capabilities, it only reads addresses and routes.
	cases = append(cases, when{
		tests: []test{is(0, unix.AF_NETLINK), is(2, unix.NETLINK_ROUTE)}, answer: allowIf(r.AnyNet || r.UDP || r.usesTCP()),
	})
	for _, domain := range []uint32{unix.AF_INET, unix.AF_INET6} {
		cases = append(cases, internet(r, domain)...)
	}
	calls := []call{
		{number: unix.SYS_SOCKET, cases: cases, answer: refuse(unix.EAFNOSUPPORT)},
		// Programs use pairs for the standard streams of their children.
		{number: unix.SYS_SOCKETPAIR, cases: local(max(mode, socketsBrokered)), answer: refuse(unix.EACCES)},
	}
	if mode == socketsBrokered {
		calls = append(calls, call{number: unix.SYS_CONNECT, answer: unix.SECCOMP_RET_USER_NOTIF})
	}
	if !r.anyListen() && len(r.Listen) == 0 && mode == socketsRefused {
		// A socket that listens without a port gets one, which Landlock does not control.
		calls = append(calls, call{number: unix.SYS_LISTEN, answer: refuse(unix.EACCES)})
	}
	if !r.AnyNet {
		calls = append(calls,
			without(unix.SYS_SENDTO, 3, msgFastOpen, unix.EOPNOTSUPP),
			without(unix.SYS_SENDMSG, 2, msgFastOpen, unix.EOPNOTSUPP),
			without(unix.SYS_SENDMMSG, 3, msgFastOpen, unix.EOPNOTSUPP),
		)
	}
	return calls
}

// local allows Unix sockets. With a broker, datagram sockets are refused, because they
// can send without a connection.
func local(mode socketMode) []when {
	of := func(kind uint32) when {
		return when{tests: []test{is(0, unix.AF_UNIX), {1, sockType, kind}}, answer: allow}
	}
	domain := []test{is(0, unix.AF_UNIX)}
	switch mode {
	case socketsOpen:
		return []when{{tests: domain, answer: allow}}
	case socketsBrokered:
		return []when{of(unix.SOCK_STREAM), of(unix.SOCK_SEQPACKET), {tests: domain, answer: refuse(unix.EACCES)}}
	}
	return []when{{tests: domain, answer: refuse(unix.EACCES)}}
}

func allowIf(ok bool) answer {
	if ok {
		return allow
	}
	return refuse(unix.EACCES)
}

// internet allows TCP and UDP as the rules say, and no other protocol, such as MPTCP or
// SCTP, whose ports Landlock does not restrict.
func internet(r Rules, domain uint32) []when {
	if r.AnyNet {
		return []when{{tests: []test{is(0, domain)}, answer: allow}}
	}
	of := func(kind, protocol uint32, a answer) when {
		return when{tests: []test{is(0, domain), {1, sockType, kind}, is(2, protocol)}, answer: a}
	}
	tcp, udp := allowIf(r.usesTCP()), allowIf(r.UDP)
	return []when{
		of(unix.SOCK_STREAM, 0, tcp),
		of(unix.SOCK_STREAM, unix.IPPROTO_TCP, tcp),
		of(unix.SOCK_DGRAM, 0, udp),
		of(unix.SOCK_DGRAM, unix.IPPROTO_UDP, udp),
		// With this error programs fall back from MPTCP to TCP.
		{tests: []test{is(0, domain), {1, sockType, unix.SOCK_STREAM}}, answer: refuse(unix.EPROTONOSUPPORT)},
		{tests: []test{is(0, domain)}, answer: refuse(unix.EACCES)},
	}
}
