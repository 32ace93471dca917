package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// output receives what a started program prints, masked. It prints it for the user,
// keeps the end, and finds watched lines.
type output struct {
	runner  *Runner
	program *started
	prefix  string
	named   bool // by the provider: each line has the prefix
	stdout  *redact.Writer
	stderr  *redact.Writer
	streams [2]*lineWriter

	mu    sync.Mutex
	watch []string
	ready *regexp.Regexp // nil once a line matched
	end   []byte         // of the output, at most abi.MaxTail bytes
}

// prefixColours are distinguishable on light and dark terminals.
var prefixColours = []int{36, 33, 35, 32, 34, 31}

func (r *Runner) newOutput(s *started, p startPlan) *output {
	o := &output{runner: r, program: s, watch: slices.Clone(p.watch), ready: p.ready.log, prefix: p.label() + " | ", named: p.name != ""}
	if r.opts.Colour {
		o.prefix = fmt.Sprintf("\x1b[%dm%s\x1b[0m", prefixColours[s.id%len(prefixColours)], o.prefix)
	}
	o.streams = [2]*lineWriter{{output: o, to: r.opts.Stdout}, {output: o, to: r.opts.Stderr}}
	o.stdout, o.stderr = r.opts.Mask.Writer(o.streams[0]), r.opts.Mask.Writer(o.streams[1])
	return o
}

// close prints what is still buffered.
func (o *output) close() error {
	err := errors.Join(o.stdout.Close(), o.stderr.Close())
	for _, s := range o.streams {
		err = errors.Join(err, s.flush())
	}
	return err
}

// tail is the end of the output, as a provider may see it.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.ToValidUTF8(string(o.end), "\uFFFD")
}

func (o *output) keep(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.end = append(o.end, p...)
	if over := len(o.end) - abi.MaxTail; over > 0 {
		o.end = append(o.end[:0], o.end[over:]...)
	}
}

// look reports the first line with each watched text, and the first by which the program
// is ready.
func (o *output) look(line []byte) {
	o.mu.Lock()
	text, found, ready := "", false, false
	if len(o.watch) > 0 || o.ready != nil {
		text = termtext.Line(string(line), maxLine)
		o.watch = slices.DeleteFunc(o.watch, func(watched string) bool {
			has := strings.Contains(text, watched)
			found = found || has
			return has
		})
		if ready = o.ready != nil && o.ready.MatchString(text); ready {
			o.ready = nil
		}
	}
	o.mu.Unlock()
	if !found && !ready {
		return
	}
	o.runner.started.update(func() {
		if found {
			o.program.seen = append(o.program.seen, text)
		}
		o.program.ready = o.program.ready || ready
	})
}

// maxLine is how much of a line is buffered, in bytes.
const maxLine = 64 << 10

// lineWriter prints one stream. The output of several programs is mixed by whole lines,
// each with its program's name; that of a single program is printed unchanged.
type lineWriter struct {
	output *output
	to     io.Writer
	line   []byte // the current line, at most maxLine of it
	// unprinted is the part of it that was not printed.
	unprinted []byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.output.keep(p)
	for rest := p; len(rest) > 0; {
		part := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			part = rest[:i+1]
		}
		rest = rest[len(part):]
		if err := l.part(part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// part receives a part of a line, which may be its end.
func (l *lineWriter) part(p []byte) error {
	whole := p[len(p)-1] == '\n'
	begins := len(l.line) == 0
	if room := maxLine - len(l.line); room > 0 {
		l.line = append(l.line, p[:min(len(p), room)]...)
	}
	err := l.hand(p, whole, begins)
	if whole {
		// The provider gets the line after the user can see it.
		l.output.look(l.line)
		l.line = l.line[:0]
	}
	return err
}

// hand prints a part of a line, or buffers it until the line is whole.
func (l *lineWriter) hand(p []byte, whole, begins bool) error {
	if len(l.unprinted) == 0 && (!begins || !l.output.named && !l.output.runner.started.several()) {
		return l.write(p)
	}
	l.unprinted = append(l.unprinted, p...)
	if !whole && len(l.unprinted) < maxLine {
		return nil
	}
	return l.print()
}

// print prints the buffered line with its program's name.
func (l *lineWriter) print() error {
	text := append([]byte(l.output.prefix), l.unprinted...)
	if text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	l.unprinted = l.unprinted[:0]
	return l.write(text)
}

func (l *lineWriter) flush() error {
	if len(l.line) > 0 {
		l.output.look(l.line)
	}
	if len(l.unprinted) > 0 {
		return l.print()
	}
	return nil
}

func (l *lineWriter) write(p []byte) error {
	l.output.runner.screen.Lock()
	defer l.output.runner.screen.Unlock()
	_, err := l.to.Write(p)
	return err
}
