package bounds_test

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls through another interface of the kernel, whose numbers stand for other calls in the
// filter.
func init() {
	const x32 = 0x40000000
	attempts["a call of x32"] = call("ok", x32+unix.SYS_GETPID)
	attempts["a call of i386"] = attempt{killed, "ok", func(place) error {
		// push r14; mov eax, getuid; int 0x80; pop r14; ret
		// The filter would take the number for sched_yield.
		return native(0x41, 0x56, 0xb8, 24, 0, 0, 0, 0xcd, 0x80, 0x41, 0x5e, 0xc3)
	}}
	attempts["native code"] = attempt{"ok", "ok", func(place) error { return native(0xc3) }}
}

// native runs machine code, as an exploit would.
func native(code ...byte) error {
	memory, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	copy(memory, code)
	start := unsafe.Pointer(&memory[0])
	closure := &start
	(*(*func())(unsafe.Pointer(&closure)))()
	return nil
}
