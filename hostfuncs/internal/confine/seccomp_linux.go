package confine

import (
	"errors"
	"fmt"
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

// installFilter installs the filter of the rules for the calling thread, which has
// no_new_privs.
func installFilter(r Rules, s Support, me self) (*Broker, error) {
	if auditArch == 0 {
		return nil, errors.New("no seccomp filter for this processor")
	}
	brokered := r.socketMode(s) == socketsBrokered
	install := setListener
	if !brokered {
		install = func(program []unix.SockFilter) (int, unix.Errno) { return setFilter(program, 0) }
	}
	fd, errno := install(compile(newFilter(r, s, me), kill))
	switch {
	case errno != 0:
		return nil, fmt.Errorf("install a seccomp filter: %w", errno)
	case !brokered:
		return nil, nil
	}
	return &Broker{fd: fd, rules: r}, nil
}

func setFilter(program []unix.SockFilter, flags uintptr) (int, unix.Errno) {
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	return int(fd), errno
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
func serve(listener int, handle func(notification)) {
	defer unix.Close(listener)
	for {
		// Receiving alone would wait forever if no process is left.
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		} else if err != nil || poll[0].Revents&unix.POLLIN == 0 {
			return
		}
		var n notification
		// Receiving fails if the call was interrupted meanwhile.
		if notifyIoctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) == 0 {
			handle(n)
		}
	}
}

func notifyIoctl(listener int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), request, uintptr(arg))
	return errno
}

// setListener installs a filter that reports calls to the returned listener.
func setListener(program []unix.SockFilter) (listener int, errno unix.Errno) {
	// A received call cannot be interrupted, or a signal would make it run twice.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	if listener, errno = setFilter(program, flags); errno != unix.EINVAL {
		return listener, errno
	}
	// Linux before 5.19 does not know WAIT_KILLABLE_RECV.
	return setFilter(program, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)
}
