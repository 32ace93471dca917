package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// systemFatal is a fatal signal that not all systems have.
const systemFatal = unix.SIGSTKFLT

// dropTypedAhead discards terminal input that was typed before a question.
func dropTypedAhead(f *os.File) {
	_ = unix.IoctlSetInt(int(f.Fd()), unix.TCFLSH, unix.TCIFLUSH)
}
