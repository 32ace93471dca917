//go:build helpers

package helpers

import _ "embed"

// Guard is the program of package hostfuncs/internal/guard.
//
//go:embed stagecraft-guard
var Guard []byte
