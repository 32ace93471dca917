//go:build unix && !linux

package process

// embedded returns nil: only Linux has guards.
func embedded() *Guards { return nil }
