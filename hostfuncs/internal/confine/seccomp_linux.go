package confine

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// answer is what the kernel does about a system call.
type answer uint32

const (
	allow answer = unix.SECCOMP_RET_ALLOW
	kill  answer = unix.SECCOMP_RET_KILL_PROCESS
)

func refuse(errno unix.Errno) answer {
	return answer(unix.SECCOMP_RET_ERRNO | uint32(errno)&unix.SECCOMP_RET_DATA)
}

// call is the filter of one system call: the answer of the first case that applies,
// otherwise its own. A filter must not contain a call twice.
type call struct {
	number uintptr
	cases  []when
	answer answer
}

// when is a case: it applies if all tests are true.
type when struct {
	tests  []test
	answer answer
}

// test compares the lower 32 bits of an argument. The kernel uses no more of the
// arguments that we test.
type test struct {
	arg         int
	mask, value uint32
}

// is tests a whole argument.
func is(arg int, value uint32) test {
	return test{arg: arg, mask: ^uint32(0), value: value}
}

// without refuses a call if an argument has any of the bits.
func without(number uintptr, arg int, bits uint32, errno unix.Errno) call {
	return call{
		number: number, answer: refuse(errno),
		cases: []when{{tests: []test{{arg: arg, mask: bits, value: 0}}, answer: allow}},
	}
}

// The offsets in struct seccomp_data.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

// compile returns a filter program for the calls. All others are allowed; foreign is
// the answer to calls of other types of processors. Both our processors are
// little-endian.
func compile(calls []call, foreign answer) []unix.SockFilter {
	p := []unix.SockFilter{
		load(offsetArch),
		equal(auditArch, 1, 0),
		done(foreign),
		load(offsetNumber),
	}
	if foreignNumbers != 0 {
		p = append(p, jump(unix.BPF_JGE, foreignNumbers, 0, 1), done(foreign))
	}
	for _, c := range calls {
		body := c.compile()
		p = append(p, equal(uint32(c.number), 0, uint8(len(body))))
		p = append(p, body...)
	}
	return append(p, done(allow))
}

func (c call) compile() []unix.SockFilter {
	var p []unix.SockFilter
	for _, w := range c.cases {
		p = append(p, w.compile()...)
	}
	return append(p, done(c.answer))
}

func (w when) compile() []unix.SockFilter {
	var p []unix.SockFilter
	var failing []int
	for _, t := range w.tests {
		p = append(p, load(uint32(offsetArgs+8*t.arg)))
		if t.mask != ^uint32(0) {
			p = append(p, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: t.mask})
		}
		failing = append(failing, len(p))
		p = append(p, equal(t.value, 0, 0))
	}
	p = append(p, done(w.answer))
	for _, i := range failing {
		p[i].Jf = uint8(len(p) - i - 1)
	}
	return p
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func equal(value uint32, yes, no uint8) unix.SockFilter {
	return jump(unix.BPF_JEQ, value, yes, no)
}

func jump(how uint16, value uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | how | unix.BPF_K, K: value, Jt: yes, Jf: no}
}

func done(a answer) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(a)}
}

// hasAnswer reports whether the kernel supports an answer, and we have a filter.
func hasAnswer(a answer) bool {
	if auditArch == 0 {
		return false
	}
	action := uint32(a)
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// encodeFilter returns the bytes of an array of struct sock_filter.
func encodeFilter(program []unix.SockFilter) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(&program[0])), len(program)*int(unsafe.Sizeof(program[0]))))
}

// notification and response are the kernel's seccomp_notif and seccomp_notif_resp.
type notification struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	address    uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// notifyIDValid is SECCOMP_IOCTL_NOTIF_ID_VALID, which is not in x/sys.
const notifyIDValid = 0x40082102

// serve handles the calls that a filter reports to its listener, until no process
// with the filter is left.
func serve(listener *os.File, handle func(notification)) {
	defer listener.Close()
	conn, err := listener.SyscallConn()
	if err != nil {
		return
	}
	for {
		var n notification
		var received, ended bool
		err := conn.Read(func(fd uintptr) bool {
			var ready int16
			if ready = events(fd); ready == 0 {
				return false
			}
			// Receiving would wait forever if no process is left.
			ended = ready&unix.POLLIN == 0
			// Receiving fails if the call was interrupted meanwhile.
			received = !ended && notifyIoctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) == 0
			return true
		})
		if err != nil || ended {
			return
		}
		if received {
			handle(n)
		}
	}
}

// events are the poll events of a listener, without waiting.
func events(listener uintptr) int16 {
	poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(poll, 0); err != unix.EINTR {
			return poll[0].Revents
		}
	}
}

// notify makes an ioctl of the listener, which may be closed meanwhile.
func notify(listener *os.File, request uintptr, arg unsafe.Pointer) (errno unix.Errno) {
	errno = unix.EBADF
	if conn, err := listener.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { errno = notifyIoctl(fd, request, arg) })
	}
	return errno
}

func notifyIoctl(listener, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, listener, request, uintptr(arg))
	return errno
}

// listenerFlags are those for installing a filter that reports calls to a listener. A
// received call cannot be interrupted, or a signal would make it run twice.
func listenerFlags() uint64 {
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	// Linux before 5.19 does not know WAIT_KILLABLE_RECV. The kernel checks the flags
	// before the filter, which is missing here.
	if _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, 0); errno == unix.EINVAL {
		return unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	return flags
}
