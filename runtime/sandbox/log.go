package sandbox

import (
	"bytes"
	"strings"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const (
	// maxLine is how much of a line that a module prints is shown, in bytes; what
	// comes after is dropped.
	maxLine = 1000
	// maxLog is how much of all that a module prints is shown, in bytes.
	maxLog = 256 << 10
)

// logLines makes lines of what a module prints.
type logLines struct {
	show     func(string) // or nil
	held     []byte       // of a line that has not ended
	shown    int
	headline string // the first line by which a Go guest gives up
	last     string
	added    int // bytes
	skip     int // bytes that are printed again
}

// add takes what was printed next.
func (l *logLines) add(text []byte) {
	again := min(l.skip, len(text))
	l.skip -= again
	text = text[again:]
	l.added += len(text)
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		l.held = append(l.held, line[:min(len(line), maxLine-len(l.held))]...)
		if text = rest; ended {
			l.end()
		}
	}
}

// end ends a line.
func (l *logLines) end() {
	line := termtext.Line(string(l.held), maxLine)
	l.held = l.held[:0]
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
		line = "(the provider prints more, which is not shown)"
	}
	l.show(line)
}

// crash says how a module ended, by its own words where it has any.
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
