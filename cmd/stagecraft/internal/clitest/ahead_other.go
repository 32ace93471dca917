//go:build !linux

package clitest

import "github.com/rogpeppe/go-internal/testscript"

// cmdAhead is of Linux alone.
func cmdAhead(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("ahead: this system's terminals are not known to the tests")
}
