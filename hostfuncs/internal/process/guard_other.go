//go:build !linux

package process

// Guard does nothing: only Linux has guards.
func Guard() {}
