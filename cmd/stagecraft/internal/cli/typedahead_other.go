//go:build !linux && !darwin && !windows

package cli

import "os"

// dropTypedAhead is known of other systems alone.
func dropTypedAhead(*os.File) {}
