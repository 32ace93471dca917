//go:build !linux

package clitest

import "github.com/rogpeppe/go-internal/testscript"

func cmdAsk(ts *testscript.TestScript, _ []string)  { ts.Fatalf("ask works on Linux only") }
func cmdSwap(ts *testscript.TestScript, _ []string) { ts.Fatalf("swap works on Linux only") }
