//go:build linux && !cgo

package bounds_test

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

var lock uint32

// The C library may use all kinds of futex.
func init() {
	const lockWithPriority = 6
	attempts["a lock with priorities"] = call("ok", unix.SYS_FUTEX, uintptr(unsafe.Pointer(&lock)), lockWithPriority)
}
