//go:build !helpers || !linux

package helpers

// There are no helpers.
var (
	Guard   []byte
	Sandbox []byte
	Schema  []byte
)
