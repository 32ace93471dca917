package exec

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/screen"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// output receives what a program prints, masked. It shows it to the user, keeps the end,
// and finds watched lines.
type output struct {
	shown    *screen.Program
	terminal *process.Terminal // of the program's own, nil for none
	stdout   *redact.Writer
	stderr   *redact.Writer
	streams  [2]*stream
	look     lookout

	mu  sync.Mutex // guards look and end
	end []byte     // of the output, at most abi.MaxTail bytes
}

// lookout is what is looked for in the lines of an output.
type lookout struct {
	watch []string
	ready *regexp.Regexp // nil for none
	// found receives a line with a watched text, and became is called for the first one
	// that matches ready.
	found  func(line string)
	became func()
}

// newOutput returns the output of a program that may have a terminal of its own. It has to
// be closed, and its shown removed.
func (r *Runner) newOutput(name string, terminal bool, look lookout) *output {
	look.watch = slices.Clone(look.watch)
	o := &output{look: look}
	var resized func()
	if terminal && r.opts.Screen.Terminal() {
		o.terminal = new(process.Terminal)
		resized = o.terminal.Resize
	}
	o.shown = r.opts.Screen.Program(name, o.terminal != nil, resized)
	if o.terminal != nil {
		o.terminal.Size = o.shown.Size
	}
	o.streams = [2]*stream{{output: o, to: o.shown.Stdout()}, {output: o, to: o.shown.Stderr()}}
	o.stdout, o.stderr = r.opts.Mask.Writer(o.streams[0]), r.opts.Mask.Writer(o.streams[1])
	return o
}

// receive makes the output receive what a command prints.
func (o *output) receive(cmd *process.Command) {
	cmd.Stdout, cmd.Stderr, cmd.Terminal = o.stdout, o.stderr, o.terminal
}

// close prints what is still buffered.
func (o *output) close() error {
	err := errors.Join(o.stdout.Close(), o.stderr.Close(), o.shown.Flush())
	for _, s := range o.streams {
		s.flush()
	}
	return err
}

// tail is the end of the output, as a provider may see it.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.ToValidUTF8(string(o.end), "\uFFFD")
}

// keep keeps the end of the output, and reports whether lines are watched.
func (o *output) keep(p []byte) (watched bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.end = append(o.end, p...)
	if over := len(o.end) - abi.MaxTail; over > 0 {
		o.end = append(o.end[:0], o.end[over:]...)
	}
	return o.look.pending()
}

// search reports the first line with each watched text, and the first by which the program
// is ready.
func (o *output) search(line []byte) {
	o.mu.Lock()
	text, found, ready := "", false, false
	if o.look.pending() {
		text = termtext.Line(string(line), maxLine)
		o.look.watch = slices.DeleteFunc(o.look.watch, func(watched string) bool {
			has := strings.Contains(text, watched)
			found = found || has
			return has
		})
		if ready = o.look.ready != nil && o.look.ready.MatchString(text); ready {
			o.look.ready = nil
		}
	}
	o.mu.Unlock()
	if found {
		o.look.found(text)
	}
	if ready {
		o.look.became()
	}
}

func (l lookout) pending() bool { return len(l.watch) > 0 || l.ready != nil }

// maxLine is how much of a line is looked at, in bytes.
const maxLine = 64 << 10

// stream is one stream of an output.
type stream struct {
	output *output
	to     io.Writer
	line   []byte // the current line, at most maxLine of it
}

// Write implements [io.Writer]. The provider gets a line after the user can see it.
func (s *stream) Write(p []byte) (int, error) {
	watched := s.output.keep(p)
	if _, err := s.to.Write(p); err != nil {
		return 0, err
	}
	for rest := p; watched && len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte{'\n'})
		rest = after
		if room := maxLine - len(s.line); room > 0 {
			s.line = append(s.line, part[:min(len(part), room)]...)
		}
		if whole {
			s.flush()
		}
	}
	return len(p), nil
}

// flush looks at the current line, which has ended.
func (s *stream) flush() {
	if len(s.line) > 0 {
		s.output.search(s.line)
	}
	s.line = s.line[:0]
}
