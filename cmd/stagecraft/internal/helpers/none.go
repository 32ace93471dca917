//go:build !helpers || !linux

package helpers

// Guard and Sandbox are empty: there are none.
var Guard, Sandbox []byte
