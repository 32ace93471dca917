// Package quiet prevents traces of the Go runtime for signals that arrive before the
// command line handles signals, some 10 ms after start. Until then signals have their
// default actions.
//
// It has few imports, so that it is initialized first.
package quiet

import (
	"syscall"
	"unsafe"
)

// traced are the signals for which the runtime prints a trace.
var traced = [...]syscall.Signal{
	syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS,
	syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS,
}

// action is large enough for the kernel's struct sigaction of each architecture. Zero
// is SIG_DFL.
type action [8]uintptr

var before [len(traced)]action

func init() {
	for i, sig := range traced {
		swap(sig, new(action), &before[i])
	}
}

// End returns the signals to the runtime, which passes them to os/signal.
func End() {
	for i, sig := range traced {
		swap(sig, &before[i], nil)
	}
}

// swap sets an action, unless nil, and stores the previous one, unless nil. It cannot
// fail for valid signals.
func swap(sig syscall.Signal, now, old *action) {
	const maskSize = 8
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(now)), uintptr(unsafe.Pointer(old)), maskSize, 0, 0)
}
