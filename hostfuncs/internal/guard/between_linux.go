package guard

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// between is the process that confines itself and then becomes the program. After
// a fork, Go code may make system calls only, so all of them are prepared.
type between struct {
	steps []step
	// listener is where the number of the filter's listener is put: in the control
	// message of the step that sends it.
	listener *int32
	// group is where the program's process group is put.
	group *int32
	// message is sent when a step fails.
	message [5]byte
	keep    []any // what the system calls point to
}

// step is one system call.
type step struct {
	call uintptr
	args [6]uintptr
	kind kind
	// failed is the message for an error of the call.
	failed byte
}

// kind is what a step's result means.
type kind byte

const (
	must     kind = iota
	try           // an error does not matter
	expect        // the result must be the last argument
	listens       // the result is a listener, which the next step sends
	optional      // the same, and an error only skips the next step
	groups        // the result is the program's process group
)

// Start forks the process between, and returns once that has executed the program or
// has reported to [Line] why not. An error here has its letter. The descriptors of the
// plan are above 2, in the order of its fields.
//
// The program ends with the calling thread. It ignores no signals except the ignored.
func Start(p *Plan, descriptors []int, ignored [65]bool) (pid int, letter byte, errno unix.Errno) {
	f, ok := p.assign(descriptors)
	if !ok {
		return 0, Failed, unix.EINVAL
	}
	path, err := p.programPath(f)
	if err != nil {
		return 0, Failed, errnoOf(err)
	}
	if p.Terminal {
		// The guard leads the session, not the program: else the end of the program
		// would hang up the rest of its tree.
		if err := unix.IoctlSetInt(f.streams[1], unix.TIOCSCTTY, 0); err != nil {
			return 0, Failed, errnoOf(err)
		}
	}
	b := new(between)
	if letter, err = b.prepare(p, f); err != nil {
		return 0, letter, errnoOf(err)
	}
	dumpable := uintptr(1)
	if p.Restrict != nil && p.Restrict.Hide {
		dumpable = 0
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, dumpable, 0, 0, 0); err != nil {
		return 0, NotConfined, errnoOf(err)
	}
	// A signal must not run a handler of the Go runtime in the process between.
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return 0, Failed, errnoOf(err)
	}
	b.lastly(ignored, &before)
	if f.program >= 0 && p.How != ByPath {
		b.placeProgram(f.program, p.How)
	}
	b.exec(path, p)
	pid, errno = b.fork()
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	runtime.KeepAlive(b)
	return pid, Failed, errno
}

func errnoOf(err error) unix.Errno {
	if errno, ok := err.(unix.Errno); ok {
		return errno
	}
	return unix.EINVAL
}

func (b *between) add(s step) { b.steps = append(b.steps, s) }

func (b *between) call(failed byte, number uintptr, args ...uintptr) {
	s := step{call: number, failed: failed}
	copy(s.args[:], args)
	b.add(s)
}

// pointer keeps what a system call points to.
func pointer[T any](b *between, v *T) uintptr {
	b.keep = append(b.keep, v)
	return uintptr(unsafe.Pointer(v))
}

// prepare lists the steps before the last ones, in an order that matters: the streams
// and the directory before the rules, the filter after everything that it may refuse.
func (b *between) prepare(p *Plan, f files) (letter byte, err error) {
	b.call(Failed, unix.SYS_SETPGID, 0, uintptr(p.Group))
	if f.dir >= 0 {
		b.call(Failed, unix.SYS_FCHDIR, uintptr(f.dir))
	} else {
		dir, err := unix.BytePtrFromString(p.Dir)
		if err != nil {
			return Failed, err
		}
		b.call(Failed, unix.SYS_CHDIR, pointer(b, dir))
	}
	for i, fd := range f.streams {
		b.call(Failed, unix.SYS_DUP3, uintptr(fd), uintptr(i), 0)
	}
	if p.Terminal {
		b.takeForeground()
	}
	if err := b.limits(p); err != nil {
		return Failed, err
	}
	if p.Restrict != nil {
		return NotConfined, b.restrict(p.Restrict, f)
	}
	return Failed, nil
}

// takeForeground makes the program's group the one that its terminal belongs to. The
// terminal would stop another group that uses it.
func (b *between) takeForeground() {
	b.group = new(int32)
	b.add(step{call: unix.SYS_GETPID, kind: groups, failed: Failed})
	b.call(Failed, unix.SYS_IOCTL, 1, unix.TIOCSPGRP, pointer(b, b.group))
}

// limits bounds the program and all that it starts.
func (b *between) limits(p *Plan) error {
	processes := p.Processes
	if processes != 0 {
		processes += tasksOf(unix.Getuid())
	}
	for _, bound := range []struct {
		resource int
		at       uint64
	}{{unix.RLIMIT_NOFILE, p.OpenFiles}, {unix.RLIMIT_NPROC, processes}} {
		var now unix.Rlimit
		if err := unix.Getrlimit(bound.resource, &now); err != nil {
			return err
		}
		switch {
		case bound.at != 0:
			at := min(bound.at, now.Max)
			now = unix.Rlimit{Cur: at, Max: at}
		case bound.resource == unix.RLIMIT_NOFILE && startFiles.Max != 0:
			// The Go runtime may have raised our own.
			now = startFiles
		default:
			continue
		}
		b.call(Failed, unix.SYS_PRLIMIT64, 0, uintptr(bound.resource), pointer(b, &now), 0)
	}
	return nil
}

// startFiles is the limit of open files that this process started with. Package os
// raises it when it is initialised, after this package.
var startFiles = func() (limit unix.Rlimit) {
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return limit
}()

// restrict lists the steps that confine the process.
func (b *between) restrict(r *Restrictions, f files) error {
	if r.Capabilities {
		if err := b.dropCapabilities(r.Keep); err != nil {
			return err
		}
	}
	if r.NoNewPrivs {
		b.call(NotConfined, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if f.ruleset >= 0 {
		b.call(NotConfined, unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(f.ruleset), 0)
	}
	return b.filter(r)
}

// dropCapabilities takes all but those kept from the process, and from the set that
// root gets back by executing a program.
func (b *between) dropCapabilities(keep uint64) error {
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	sets := new([2]unix.CapUserData)
	if err := unix.Capget(head, &sets[0]); err != nil {
		return err
	}
	if sets[0].Effective&(1<<unix.CAP_SETPCAP) != 0 {
		for c := range uintptr(64) {
			if keep>>c&1 == 1 {
				continue
			}
			// The kernel does not know all of them.
			if known, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err != nil || known == 0 {
				continue
			}
			b.call(NotConfined, unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		}
	}
	b.call(NotConfined, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	for i := range sets {
		kept := uint32(keep >> (32 * i))
		sets[i].Effective &= kept
		sets[i].Permitted &= kept
		sets[i].Inheritable &= kept
	}
	// The kernel writes to the header.
	head = &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	b.call(NotConfined, unix.SYS_CAPSET, pointer(b, head), pointer(b, &sets[0]))
	return nil
}

// filter installs the seccomp filter, and sends its listener.
func (b *between) filter(r *Restrictions) error {
	const entry = unsafe.Sizeof(unix.SockFilter{})
	if len(r.Filter) == 0 {
		return nil
	}
	if uintptr(len(r.Filter))%entry != 0 || uintptr(len(r.Filter))/entry > 1<<16-1 {
		return unix.EINVAL
	}
	program := make([]unix.SockFilter, uintptr(len(r.Filter))/entry)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&program[0])), len(r.Filter)), r.Filter)
	b.keep = append(b.keep, program)
	prog := &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	s := step{
		call: unix.SYS_SECCOMP, failed: NotConfined,
		args: [6]uintptr{unix.SECCOMP_SET_MODE_FILTER, uintptr(r.Flags), pointer(b, prog)},
	}
	if r.Flags&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER == 0 {
		b.add(s)
		return nil
	}
	s.kind = listens
	if r.Optional {
		s.kind, s.failed = optional, NotWatched
	}
	b.add(s)
	b.sendListener()
	return nil
}

// sendListener sends a message with a descriptor, the number of which is put in
// place when it is known.
func (b *between) sendListener() {
	letter := &[1]byte{Listens}
	control := unix.UnixRights(0)
	b.keep = append(b.keep, control, letter)
	b.listener = (*int32)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
	data := &unix.Iovec{Base: &letter[0]}
	data.SetLen(len(letter))
	message := &unix.Msghdr{Iov: data, Control: &control[0]}
	message.SetControllen(len(control))
	message.SetIovlen(1)
	b.call(NotConfined, unix.SYS_SENDMSG, Line, pointer(b, message), unix.MSG_NOSIGNAL)
}

// lastly makes the process end with its guard, and gives the program the signals
// that the guard was started with. A change of capabilities could undo the first.
func (b *between) lastly(ignored [65]bool, before *unix.Sigset_t) {
	b.call(Failed, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	b.add(step{call: unix.SYS_GETPPID, kind: expect, failed: Failed, args: [6]uintptr{5: uintptr(unix.Getpid())}})
	usual := pointer(b, new([8]uintptr))
	for sig, keep := range ignored {
		if sig != 0 && !keep {
			b.add(step{call: unix.SYS_RT_SIGACTION, kind: try, args: [6]uintptr{uintptr(sig), usual, 0, sigsetSize}})
		}
	}
	b.call(Failed, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, pointer(b, before), 0, sigsetSize)
}

// programFile is the descriptor by which a program is executed. The kernel names the
// process after it, and an interpreter opens it.
const programFile = Line + 1

// placeProgram comes after all steps with a descriptor that could have this number.
func (b *between) placeProgram(program int, how RunBy) {
	flags := uintptr(unix.FD_CLOEXEC)
	if how == ByOpenFile {
		flags = 0
	}
	if program != programFile {
		b.call(Failed, unix.SYS_DUP3, uintptr(program), programFile, 0)
	}
	b.call(Failed, unix.SYS_FCNTL, programFile, unix.F_SETFD, flags)
}

// exec is the last step. A text that the kernel cannot take makes it fail.
func (b *between) exec(path string, p *Plan) {
	name, err := unix.BytePtrFromString(path)
	argv, argvErr := syscall.SlicePtrFromStrings(p.Argv)
	env, envErr := syscall.SlicePtrFromStrings(p.Env)
	if err != nil || argvErr != nil || envErr != nil {
		b.call(Failed, unix.SYS_EXECVE)
		return
	}
	b.keep = append(b.keep, argv, env)
	b.call(Failed, unix.SYS_EXECVE, pointer(b, name), pointer(b, &argv[0]), pointer(b, &env[0]))
}

// fork runs the steps in another process, which has a copy of our memory, and waits
// until it has executed the program or has ended.
//
//go:norace
//go:nosplit
func (b *between) fork() (int, unix.Errno) {
	flags, stack := uintptr(unix.CLONE_VFORK|uintptr(unix.SIGCHLD)), uintptr(0)
	if runtime.GOARCH == "s390x" {
		flags, stack = stack, flags
	}
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, flags, stack, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return int(pid), errno
	}
	for i := 0; i < len(b.steps); i++ {
		s := &b.steps[i]
		result, _, errno := syscall.RawSyscall6(s.call, s.args[0], s.args[1], s.args[2], s.args[3], s.args[4], s.args[5])
		switch {
		case s.kind == try || errno == 0 && s.kind == must:
			continue
		case errno == 0 && s.kind == expect && result == s.args[5]:
			continue
		case errno == 0 && (s.kind == listens || s.kind == optional):
			*b.listener = int32(result)
			continue
		case errno == 0 && s.kind == groups:
			*b.group = int32(result)
			continue
		}
		if errno == 0 {
			errno = unix.ESRCH // the guard has ended
		}
		b.message[0] = s.failed
		b.message[1], b.message[2], b.message[3], b.message[4] = byte(errno), byte(errno>>8), byte(errno>>16), byte(errno>>24)
		_, _, _ = syscall.RawSyscall6(unix.SYS_WRITE, Line, uintptr(unsafe.Pointer(&b.message)), uintptr(len(b.message)), 0, 0, 0)
		if s.kind == optional {
			i++ // there is no listener to send
			continue
		}
		for {
			_, _, _ = syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 1, 0, 0, 0, 0, 0)
		}
	}
	return 0, 0 // not reached: the last step is to execute a program
}
