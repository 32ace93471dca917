package exec

import (
	"bytes"
	"io"
	"os"
	"sync"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/denial"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// maxHeard is how many denials are kept of what one command prints: the last ones,
// since programs end with what ended them.
const maxHeard = 50

// heard is what a command says that was denied to it.
type heard struct {
	mu      sync.Mutex
	found   []denial.Found
	streams []*heardWriter
}

// listen has it heard what a confined command says, as far as its output passes
// through us: what is handed over as it is, such as a terminal, isn't heard. The
// result is nil for a command that isn't confined.
func (c *Confinement) listen(cmd *process.Command) *heard {
	if cmd.Confine == nil {
		return nil
	}
	h := new(heard)
	stdout, stderr := cmd.Stdout, cmd.Stderr
	cmd.Stdout = h.writer(stdout)
	if cmd.Stderr = cmd.Stdout; stderr != stdout {
		cmd.Stderr = h.writer(stderr)
	}
	return h
}

func (h *heard) writer(to io.Writer) io.Writer {
	if _, file := to.(*os.File); file || to == nil {
		return to
	}
	w := &heardWriter{heard: h, to: to}
	h.streams = append(h.streams, w)
	return w
}

func (h *heard) line(text []byte) {
	found := denial.Find(termtext.Line(string(text), denial.MaxLine))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.found = append(h.found, found...)
	if over := len(h.found) - maxHeard; over > 0 {
		h.found = append(h.found[:0], h.found[over:]...)
	}
}

// all is what was heard, once the command has ended.
func (h *heard) all() []denial.Found {
	for _, w := range h.streams {
		h.line(w.begun)
	}
	return h.found
}

// heardWriter hands one stream on, and hears its lines.
type heardWriter struct {
	heard *heard
	to    io.Writer
	begun []byte // a line that is not at its end, at most denial.MaxLine of it
}

func (w *heardWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte("\n"))
		rest = after
		w.begun = append(w.begun, part[:min(len(part), denial.MaxLine-len(w.begun))]...)
		if whole {
			w.heard.line(w.begun)
			w.begun = w.begun[:0]
		}
	}
	return w.to.Write(p)
}
