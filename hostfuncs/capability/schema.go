package capability

import _ "embed"

// Schema is the JSON Schema of policies.
//
//go:embed schema.json
var Schema []byte
