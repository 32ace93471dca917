//go:build !helpers || !linux

package helpers

// Guard is empty: there is none.
var Guard []byte
