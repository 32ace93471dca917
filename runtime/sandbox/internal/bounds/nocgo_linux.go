//go:build !cgo

package bounds

const usesCgo = false

// cgoCalls are none: Go makes the calls of this program alone.
var cgoCalls []rule
