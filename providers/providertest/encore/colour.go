package main

import (
	"fmt"
	"os"
)

// coloured has its colour even where NO_COLOR is set, as much of the real one's
// output has.
func coloured(code, text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }

// polite goes without where NO_COLOR is set.
func polite(code, text string) string {
	if os.Getenv("NO_COLOR") != "" {
		return text
	}
	return coloured(code, text)
}

func red(format string, args ...any) string { return coloured("31", fmt.Sprintf(format, args...)) }
