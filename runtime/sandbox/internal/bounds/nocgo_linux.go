//go:build !cgo

package bounds

const usesCgo = false

// threadSpace is the address space of a thread, which is a part of Go's heap.
const threadSpace = 0

// cgoCalls is empty: without cgo, Go makes all calls.
var cgoCalls []rule

// futexes are the kinds of futex that Go uses.
var futexes = []test{is(1, futexWait, futexWake)}
