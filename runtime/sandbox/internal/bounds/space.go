//go:build linux && !race

package bounds

// boundsSpace reports whether the address space is bounded.
const boundsSpace = true
