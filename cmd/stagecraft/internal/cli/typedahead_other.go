//go:build !linux && !darwin && !windows

package cli

import "os"

// dropTypedAhead does nothing on this system.
func dropTypedAhead(*os.File) {}
