package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// dropTypedAhead forgets what was typed at a console and not yet read: it was
// no answer to a question that nobody had seen. Of anything else nothing is
// forgotten.
func dropTypedAhead(f *os.File) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(f.Fd()))
}
