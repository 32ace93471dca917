//go:build linux && race

package bounds

// boundsSpace is false: the race detector takes terabytes.
const boundsSpace = false
