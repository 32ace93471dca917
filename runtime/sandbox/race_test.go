//go:build race || !linux

package sandbox_test

// boundsSpace reports whether the address space of a helper is bounded, which the
// race detector would not fit in.
const boundsSpace = false
