package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropTypedAhead discards terminal input that was typed before a question.
func dropTypedAhead(f *os.File) {
	_ = unix.IoctlSetPointerInt(int(f.Fd()), unix.TIOCFLUSH, unix.TCIFLUSH)
}
