// Package quiet keeps the Go runtime from answering a signal with a trace before
// the command line takes signals: the rest of the program takes some 10 ms to get
// ready. Until then a signal does what it does to a program that has no handlers.
//
// It imports next to nothing, so that it is ready before everything else.
package quiet

import (
	"syscall"
	"unsafe"
)

// traced are the signals that the runtime answers with a trace.
var traced = [...]syscall.Signal{
	syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS,
	syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS,
}

// action is the kernel's struct sigaction, with room to spare: its layout differs
// between machines, and all zeros are SIG_DFL with each.
type action [8]uintptr

var before [len(traced)]action

func init() {
	for i, sig := range traced {
		swap(sig, new(action), &before[i])
	}
}

// End gives the signals back to the runtime, which hands them to os/signal.
func End() {
	for i, sig := range traced {
		swap(sig, &before[i], nil)
	}
}

// swap puts an action in the place of another; nil is none. It can't fail for
// signals that there are.
func swap(sig syscall.Signal, now, old *action) {
	const maskSize = 8
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(now)), uintptr(unsafe.Pointer(old)), maskSize, 0, 0)
}
