//go:build !cgo

package bounds

const usesCgo = false

// cgoCalls is empty: without cgo, Go makes all calls.
var cgoCalls []rule
