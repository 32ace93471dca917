//go:build !linux && !darwin

// Command encore stands in for Encore's command line program in tests, on Linux
// and macOS.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "encore stand-in: not for this system")
	os.Exit(70)
}
