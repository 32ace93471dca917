//go:build cgo

package bounds

import "golang.org/x/sys/unix"

const usesCgo = true

// futexes is empty: the C library uses all kinds of futex.
var futexes []test

// cgoCalls are the calls of the C library and, in tests, of the race detector.
var cgoCalls = []rule{
	{number: unix.SYS_MREMAP, why: "the C library's memory"},
	{number: unix.SYS_BRK, why: "the C library's memory"},
	{number: unix.SYS_CLOCK_NANOSLEEP, why: "the race detector's own thread sleeps"},
}
