package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropTypedAhead forgets what was typed at a terminal and not yet read: it was
// no answer to a question that nobody had seen. Of anything else nothing is
// forgotten.
func dropTypedAhead(f *os.File) {
	_ = unix.IoctlSetPointerInt(int(f.Fd()), unix.TIOCFLUSH, unix.TCIFLUSH)
}
