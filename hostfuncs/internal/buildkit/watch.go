package buildkit

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const (
	tailLines = 20       // lines of output that an error carries
	tailBytes = 16 << 10 // of them
	maxLine   = 64 << 10 // bytes of an incomplete line
	maxSteps  = 10_000   // shown and remembered
	maxParts  = 1000     // of a step: files that it fetches, warnings
	maxName   = 1000     // bytes of the name of a step or a part
)

// watch reads the status of a build, to show it and for errors.
type watch struct {
	updates chan *client.SolveStatus
	done    chan struct{}
	steps   map[digest.Digest]*step
	failed  digest.Digest
}

type step struct {
	name string
	// parts are those reported of it; warnings counts its warnings.
	parts    map[string]bool
	warnings int
	line     []byte // an incomplete line
	tail     []byte
}

// newWatch reads updates until their channel is closed.
func newWatch(show func(*client.SolveStatus)) *watch {
	w := &watch{updates: make(chan *client.SolveStatus), done: make(chan struct{}), steps: map[digest.Digest]*step{}}
	go func() {
		defer close(w.done)
		for update := range w.updates {
			w.bound(update)
			w.whole(update)
			clean(update)
			w.note(update)
			if show != nil {
				show(update)
			}
		}
	}()
	return w
}

// wait waits until all updates were read. Then the steps can be used.
func (w *watch) wait() { <-w.done }

// change changes all texts of an update, those of one line and longer ones.
func change(s *client.SolveStatus, line, text func(string) string) {
	for _, v := range s.Vertexes {
		v.Name, v.Error = line(v.Name), text(v.Error)
		if v.ProgressGroup != nil {
			v.ProgressGroup.Name = line(v.ProgressGroup.Name)
		}
	}
	for _, status := range s.Statuses {
		status.ID, status.Name = line(status.ID), line(status.Name)
	}
	for _, log := range s.Logs {
		log.Data = []byte(text(string(log.Data)))
	}
	for _, warning := range s.Warnings {
		warning.Short, warning.URL = []byte(line(string(warning.Short))), line(warning.URL)
		for i, detail := range warning.Detail {
			warning.Detail[i] = []byte(text(string(detail)))
		}
	}
}

// clean makes the texts of a builder and of the programs that it runs safe to print.
func clean(s *client.SolveStatus) {
	change(s, func(text string) string { return termtext.Line(text, 1000) }, termtext.Clean)
}

// bound drops status beyond the size of any real build, since the display keeps all
// of it in memory.
func (w *watch) bound(s *client.SolveStatus) {
	s.Vertexes = slices.DeleteFunc(s.Vertexes, func(v *client.Vertex) bool {
		return w.step(v.Digest) == nil || v.ProgressGroup != nil && len(v.ProgressGroup.Id) > maxName
	})
	s.Statuses = slices.DeleteFunc(s.Statuses, func(status *client.VertexStatus) bool {
		at := w.step(status.Vertex)
		if at == nil || len(status.ID) > maxName || len(at.parts) >= maxParts && !at.parts[status.ID] {
			return true
		}
		at.parts[status.ID] = true
		return false
	})
	s.Warnings = slices.DeleteFunc(s.Warnings, func(warning *client.VertexWarning) bool {
		at := w.step(warning.Vertex)
		if at != nil {
			at.warnings++
		}
		return at == nil || at.warnings > maxParts
	})
}

// whole delays an incomplete line until it or the step ends: a secret in it cannot be
// masked in parts.
func (w *watch) whole(s *client.SolveStatus) {
	var logs []*client.VertexLog
	for _, log := range s.Logs {
		at := w.step(log.Vertex)
		if at == nil {
			continue
		}
		data := append(at.line, log.Data...)
		end := bytes.LastIndexAny(data, "\r\n") + 1
		if len(data)-end > maxLine {
			end = len(data)
		}
		at.line = bytes.Clone(data[end:])
		if log.Data = data[:end]; end > 0 {
			logs = append(logs, log)
		}
	}
	for _, v := range s.Vertexes {
		if at := w.steps[v.Digest]; at != nil && v.Completed != nil && len(at.line) > 0 {
			logs = append(logs, &client.VertexLog{Vertex: v.Digest, Stream: 1, Data: append(at.line, '\n'), Timestamp: *v.Completed})
			at.line = nil
		}
	}
	s.Logs = logs
}

func (w *watch) note(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		if at := w.step(v.Digest); at != nil {
			at.name = v.Name
		}
		// This step was stopped because another one failed.
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
		if len(w.steps) >= maxSteps || len(id) > maxName {
			return nil
		}
		w.steps[id] = &step{parts: map[string]bool{}}
	}
	return w.steps[id]
}

// last returns the failed step and the end of its output.
func (w *watch) last() (name, log string) {
	at := w.steps[w.failed]
	if at == nil {
		return "", ""
	}
	lines := strings.Split(strings.Trim(string(at.tail), "\n"), "\n")
	return at.name, strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// fromStep matches the name of a step that takes an image, once the frontend has looked
// up the image's digest. Names of stages and platforms do not contain "]".
var fromStep = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:\[[^\]]*\] )?FROM (\S+)@(sha256:[0-9a-f]{64})$`) })

// bases are the digests of the steps' images, by reference.
type bases map[string]string

// note reads a step's name. The digest of a reference with two digests is unknown.
func (b bases) note(name string) {
	m := fromStep().FindStringSubmatch(name)
	if m == nil {
		return
	}
	ref, digest := m[1], m[2]
	if known, ok := b[ref]; ok && known != digest {
		digest = ""
	}
	b[ref] = digest
}

// bases returns the digests in the names of all steps.
func (w *watch) bases() map[string]string {
	b := bases{}
	for _, s := range w.steps {
		b.note(s.name)
	}
	return b.known()
}

// known returns the references with one digest.
func (b bases) known() map[string]string {
	known := make(map[string]string)
	for ref, digest := range b {
		if digest != "" {
			known[ref] = digest
		}
	}
	return known
}
