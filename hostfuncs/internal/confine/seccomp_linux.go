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

// call is what to do about one system call: what the first case says that
// holds, or else the answer. A call must not be in a filter twice.
type call struct {
	number uintptr
	cases  []when
	answer answer
}

// when is a case in which all tests hold.
type when struct {
	tests  []test
	answer answer
}

// test compares the lower 32 bits of an argument, which is all that the kernel
// looks at of those that we test.
type test struct {
	arg         int
	mask, value uint32
}

// is tests a whole argument.
func is(arg int, value uint32) test {
	return test{arg: arg, mask: ^uint32(0), value: value}
}

// without allows a call unless one of some bits is in an argument.
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

// compile makes a program of the calls; all others are allowed, and foreign is the
// answer to those of other kinds of processors. Both our processors have the lower
// half of a number first.
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

// hasAnswer reports whether the kernel can answer so, and we have a filter.
func hasAnswer(a answer) bool {
	if auditArch == 0 {
		return false
	}
	action := uint32(a)
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// installFilter holds the thread, which has no_new_privs, to the filter for
// some rules.
func installFilter(r Rules, s Support, me self) (*Broker, error) {
	if auditArch == 0 {
		return nil, errors.New("there is no seccomp filter for this processor")
	}
	asked := r.socketMode(s) == socketsAsked
	install := setListener
	if !asked {
		install = func(program []unix.SockFilter) (int, unix.Errno) { return setFilter(program, 0) }
	}
	fd, errno := install(compile(newFilter(r, s, me), kill))
	switch {
	case errno != 0:
		return nil, fmt.Errorf("installing a seccomp filter: %w", errno)
	case !asked:
		return nil, nil
	}
	return &Broker{fd: fd, rules: r}, nil
}

func setFilter(program []unix.SockFilter, flags uintptr) (int, unix.Errno) {
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	return int(fd), errno
}
