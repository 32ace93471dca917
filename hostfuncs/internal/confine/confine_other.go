//go:build !linux

package confine

import "runtime"

// Probe finds no support: Landlock and seccomp are parts of Linux.
func Probe() Support {
	return Support{Reason: "this is " + runtime.GOOS}
}
