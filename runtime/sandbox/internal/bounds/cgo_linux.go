//go:build cgo

package bounds

import "golang.org/x/sys/unix"

const usesCgo = true

// threadSpace is the address space of a thread's stack.
const threadSpace = 8 << 20

// futexes is empty: the C library uses all kinds of futex.
var futexes []test

// cgoCalls are the calls of the C library and, in tests, of the race detector.
var cgoCalls = []rule{
	{number: unix.SYS_SET_ROBUST_LIST, why: "the C library starts a thread"},
	{number: unix.SYS_RSEQ, why: "the C library starts a thread"},
	{number: unix.SYS_MREMAP, why: "the C library's memory"},
	{number: unix.SYS_BRK, why: "the C library's memory"},
	{number: unix.SYS_CLOCK_NANOSLEEP, why: "the race detector's own thread sleeps"},
}
