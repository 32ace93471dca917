package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// fatal is empty: no signal makes the Go runtime print a trace on Windows.
var fatal []os.Signal

// passed is empty: Windows has no signals except those that end a run.
func passed() []os.Signal { return nil }

// dropTypedAhead discards console input that was typed before a question.
func dropTypedAhead(f *os.File) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(f.Fd()))
}
