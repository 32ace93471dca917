//go:build !linux

package clitest

import "github.com/rogpeppe/go-internal/testscript"

// cmdAsk is of Linux alone.
func cmdAsk(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("ask: this system's terminals are not known to the tests")
}
