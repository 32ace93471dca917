package lock

import _ "embed"

// Schema is the JSON Schema of stagecraft.lock.
//
//go:embed schema.json
var Schema []byte
