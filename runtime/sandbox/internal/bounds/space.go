//go:build linux && !race

package bounds

// boundsSpace tells whether the address space is bounded.
const boundsSpace = true
