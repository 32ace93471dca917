//go:build !embed || !linux

package helpers

// There are no helpers.
var (
	Guard   []byte
	Sandbox []byte
)
