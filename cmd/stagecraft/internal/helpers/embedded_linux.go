//go:build helpers

package helpers

import _ "embed"

// Guard is the program of package hostfuncs/internal/guard.
//
//go:embed stagecraft-guard
var Guard []byte

// Sandbox is the program cmd/stagecraft-sandbox.
//
//go:embed stagecraft-sandbox
var Sandbox []byte

// Schema is the program cmd/stagecraft-schema, compressed by s2.
//
//go:embed stagecraft-schema.s2
var Schema []byte
