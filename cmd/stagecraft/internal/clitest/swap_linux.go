package clitest

import (
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// cmdSwap exchanges two names, of directories too, as fast as can be, until the
// script ends: swap NAME OTHER
func cmdSwap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: swap NAME OTHER")
	}
	name, other := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	untilEnd(ts, func(int) error {
		return unix.Renameat2(unix.AT_FDCWD, name, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
	})
}
