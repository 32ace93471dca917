package policytest

import _ "embed"

// Schema is the JSON Schema of policy tests.
//
//go:embed schema.json
var Schema []byte
