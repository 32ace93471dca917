//go:build !linux

package clitest

import "github.com/rogpeppe/go-internal/testscript"

// cmdSwap is of Linux alone, which exchanges two names in one step.
func cmdSwap(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("swap: this system exchanges no names in one step")
}
