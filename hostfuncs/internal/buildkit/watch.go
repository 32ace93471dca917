package buildkit

import (
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
)

const (
	tailLines = 20       // lines of output that an error carries
	tailBytes = 16 << 10 // of them
	maxSteps  = 10_000   // whose names and output are remembered
)

// watch reads what a builder tells: for whoever shows it, and for an error.
type watch struct {
	updates chan *client.SolveStatus
	done    chan struct{}
	steps   map[digest.Digest]*step
	failed  digest.Digest
}

type step struct {
	name string
	tail []byte
}

// newWatch reads updates until their channel is closed.
func newWatch(show func(*client.SolveStatus)) *watch {
	w := &watch{updates: make(chan *client.SolveStatus), done: make(chan struct{}), steps: map[digest.Digest]*step{}}
	go func() {
		defer close(w.done)
		for update := range w.updates {
			clean(update)
			w.note(update)
			if show != nil {
				show(update)
			}
		}
	}()
	return w
}

// wait waits until all was read. What was noted can be looked at then.
func (w *watch) wait() { <-w.done }

// clean makes what comes from a builder, and from the programs that it runs, fit
// to be printed.
func clean(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		v.Name, v.Error = plaintext.Line(v.Name, 1000), plaintext.Clean(v.Error)
	}
	for _, status := range s.Statuses {
		status.ID, status.Name = plaintext.Line(status.ID, 1000), plaintext.Line(status.Name, 1000)
	}
	for _, log := range s.Logs {
		log.Data = []byte(plaintext.Clean(string(log.Data)))
	}
	for _, warning := range s.Warnings {
		warning.Short = []byte(plaintext.Line(string(warning.Short), 1000))
		for i, detail := range warning.Detail {
			warning.Detail[i] = []byte(plaintext.Clean(string(detail)))
		}
		warning.URL = plaintext.Line(warning.URL, 1000)
	}
}

func (w *watch) note(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		if at := w.step(v.Digest); at != nil {
			at.name = v.Name
		}
		// What is stopped because another step failed isn't the one.
		if v.Error != "" && !strings.HasSuffix(v.Error, "context canceled") {
			w.failed = v.Digest
		}
	}
	for _, log := range s.Logs {
		if at := w.step(log.Vertex); at != nil {
			at.tail = append(at.tail, log.Data...)
			if over := len(at.tail) - tailBytes; over > 0 {
				at.tail = append(at.tail[:0], at.tail[over:]...)
			}
		}
	}
}

func (w *watch) step(id digest.Digest) *step {
	if w.steps[id] == nil {
		if len(w.steps) >= maxSteps {
			return nil
		}
		w.steps[id] = new(step)
	}
	return w.steps[id]
}

// last is the step that failed and the end of its output.
func (w *watch) last() (name, log string) {
	at := w.steps[w.failed]
	if at == nil {
		return "", ""
	}
	lines := strings.Split(strings.Trim(string(at.tail), "\n"), "\n")
	return at.name, strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
