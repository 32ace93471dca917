//go:build !cgo

package bounds

const usesCgo = false

// cgoCalls is empty: without cgo, Go makes all calls.
var cgoCalls []rule

// futexes are the kinds of futex that Go uses.
var futexes = []test{is(1, futexWait, futexWake)}
