package audit

import _ "embed"

// Schema is the JSON Schema of a record, a line of an audit log.
//
//go:embed schema.json
var Schema []byte
