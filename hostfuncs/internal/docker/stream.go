package docker

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// messageLimit is the most bytes of an engine's message.
const messageLimit = 1 << 20

// streamError means that an answer ended early or is not a stream of messages.
type streamError struct {
	err error
	cut bool // the connection was lost
}

func (e *streamError) Error() string { return "cannot read its answer: " + e.err.Error() }
func (e *streamError) Unwrap() error { return e.err }

// message is a line of an engine's output, with the field names of its API.
type message struct {
	Stream string          `json:"stream"` // output, in pieces of any length
	Status string          `json:"status"` // of the layer ID, or of the whole
	ID     string          `json:"id"`
	Aux    json.RawMessage `json:"aux"`
	Error  string          `json:"error"`
	Detail *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

func (m message) failed() bool { return m.Error != "" || m.Detail != nil }

func (m message) failure() string {
	switch {
	case m.Detail != nil && m.Detail.Message != "":
		return m.Detail.Message
	case m.Error != "":
		return m.Error
	}
	return "the engine gives no reason"
}

// readMessages calls handle for each message until the stream ends or handle returns an
// error, which it returns. An error of the stream itself is a [*streamError].
func readMessages(r io.Reader, handle func(message) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, messageLimit)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var m message
		if err := json.Unmarshal(line, &m); err != nil {
			if broke := lines.Err(); broke != nil {
				return &streamError{err: broke, cut: true}
			}
			return &streamError{err: err}
		}
		if err := handle(m); err != nil {
			return err
		}
	}
	err := lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &streamError{err: errors.New("a message is longer than 1 MiB")}
	case err != nil:
		return &streamError{err: err, cut: true}
	}
	return nil
}

const (
	tailLines  = 20       // lines of output that an error carries
	lineLimit  = 16 << 10 // bytes after which a line is printed
	layerLimit = 1024     // layers with a remembered status
)

// stepLine matches the line in which Docker or Podman announces a step. Podman adds the
// stage if there are several.
var stepLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^Step \d+/\d+ : |^(?:\[\d+/\d+\] )?STEP \d+/\d+: `) })

// printer prints the output of an engine as plain text, in whole lines.
type printer struct {
	out    io.Writer
	line   []byte // the incomplete line
	step   string // the current step
	tail   []string
	layers map[string]string // the status printed last, by layer
}

func newPrinter(out io.Writer) *printer {
	if out == nil {
		out = io.Discard
	}
	return &printer{out: out, layers: map[string]string{}}
}

// message prints the text of a message.
func (p *printer) message(m message) {
	if m.Stream != "" {
		p.text(m.Stream)
	}
	if m.Status != "" {
		p.status(m.ID, m.Status)
	}
}

// text prints a piece of output.
func (p *printer) text(s string) {
	for s != "" {
		end := strings.IndexByte(s, '\n')
		piece := s
		if end >= 0 {
			piece = s[:end]
		}
		room := lineLimit - len(p.line)
		if len(piece) > room {
			p.line = append(p.line, piece[:room]...)
			p.endLine()
			s = s[room:]
			continue
		}
		p.line = append(p.line, piece...)
		if end < 0 {
			return
		}
		p.endLine()
		s = s[end+1:]
	}
}

// flush prints an incomplete line.
func (p *printer) flush() {
	if termtext.Clean(string(p.line)) != "" {
		p.endLine()
	}
	p.line = p.line[:0]
}

// endLine prints the line, or several if it was overwritten.
func (p *printer) endLine() {
	text := strings.TrimRight(termtext.Clean(string(p.line)+"\n"), "\n")
	p.line = p.line[:0]
	for line := range strings.SplitSeq(text, "\n") {
		p.remember(line)
		p.print(line)
	}
}

// remember keeps the step and the end of its output for errors.
func (p *printer) remember(line string) {
	if stepLine().MatchString(line) {
		p.step, p.tail = line, nil
		return
	}
	p.tail = append(p.tail, line)
	if len(p.tail) > tailLines {
		p.tail = p.tail[1:]
	}
}

// log returns the last lines of the step's output.
func (p *printer) log() string {
	p.flush()
	return strings.Join(p.tail, "\n")
}

// status prints the status of a layer once: during a transfer, the engine repeats it
// many times a second.
func (p *printer) status(id, status string) {
	p.flush()
	id, status = termtext.Line(id, 200), termtext.Line(status, 500)
	if id == "" {
		p.print(status)
		return
	}
	if p.layers[id] == status {
		return
	}
	if len(p.layers) >= layerLimit {
		clear(p.layers)
	}
	p.layers[id] = status
	p.print(id + ": " + status)
}

// print writes one line. An error does not end the build.
func (p *printer) print(line string) {
	_, _ = io.WriteString(p.out, line+"\n")
}
