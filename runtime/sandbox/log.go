package sandbox

import (
	"bytes"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const (
	// maxLine is the part of a line that is shown, in bytes; the rest is dropped.
	maxLine = 1000
	// maxLog bounds the output of a module that is shown, in bytes.
	maxLog = 256 << 10
)

// logLines splits the output of a module into lines.
type logLines struct {
	show     func(string) // or nil
	partial  []byte       // a line that has not ended
	shown    int          // in bytes
	headline string       // the first line that reports a panic or a fatal error of Go
	last     string
	added    int // bytes
	skip     int // bytes that are printed again
}

// add appends output of the module.
func (l *logLines) add(text []byte) {
	again := min(l.skip, len(text))
	l.skip -= again
	text = text[again:]
	l.added += len(text)
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		l.partial = append(l.partial, line[:min(len(line), maxLine-len(l.partial))]...)
		if text = rest; ended {
			l.end()
		}
	}
}

// end cleans and shows the line that ends here.
func (l *logLines) end() {
	line := termtext.Line(string(l.partial), maxLine)
	l.partial = l.partial[:0]
	if strings.TrimSpace(line) == "" {
		return
	}
	if l.headline == "" && (strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")) {
		l.headline = line
	}
	l.last = line
	if l.show == nil || l.shown > maxLog {
		return
	}
	if l.shown += len(line); l.shown > maxLog {
		line = "(more output of the provider is not shown)"
	}
	l.show(line)
}

// crash returns the error of a module that failed, with its own message if it has one.
func (l *logLines) crash(reason string) *CrashError {
	l.end()
	reason = termtext.Line(reason, 300)
	switch {
	case l.headline != "":
		return &CrashError{Reason: termtext.Line(l.headline, 300)}
	case strings.Contains(reason, l.last):
		return &CrashError{Reason: reason}
	}
	return &CrashError{Reason: reason, Output: l.last}
}
