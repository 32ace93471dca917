package buildkit

import (
	"encoding/json"
	"io"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Progress is where and how a build shows its progress.
type Progress struct {
	Out  io.Writer
	Mode string // one of [Modes], empty for auto
	// Mask masks secret values in all texts, since a terminal is written to
	// directly; nil masks nothing.
	Mask func(string) string
}

// Lines shows a step of a builder that reports its progress in lines of text,
// each in one Write.
func (p Progress) Lines(name string) io.Writer {
	mask := p.Mask
	if mask == nil {
		mask = func(text string) string { return text }
	}
	switch p.Mode {
	case "quiet":
		return io.Discard
	case "rawjson":
		return newRawLines(p.Out, name, mask)
	}
	return maskedLines{p.Out, mask}
}

// ShowsLines reports whether the user sees the output of [Progress.Lines] as
// text.
func (p Progress) ShowsLines() bool { return p.Mode != "quiet" && p.Mode != "rawjson" }

type maskedLines struct {
	to   io.Writer
	mask func(string) string
}

func (m maskedLines) Write(p []byte) (int, error) {
	_, err := io.WriteString(m.to, m.mask(string(p)))
	return len(p), err
}

// rawLines writes lines as messages of the mode rawjson.
type rawLines struct {
	to   *json.Encoder
	mask func(string) string
	step digest.Digest
}

func newRawLines(out io.Writer, name string, mask func(string) string) *rawLines {
	l := &rawLines{to: json.NewEncoder(out), mask: mask, step: digest.FromString(name)}
	now := time.Now()
	_ = l.to.Encode(client.SolveStatus{Vertexes: []*client.Vertex{
		{Digest: l.step, Name: mask(termtext.Line(name, 1000)), Started: &now},
	}})
	return l
}

func (l *rawLines) Write(p []byte) (int, error) {
	text := l.mask(termtext.Clean(string(p)))
	return len(p), l.to.Encode(client.SolveStatus{Logs: []*client.VertexLog{
		{Vertex: l.step, Stream: 1, Data: []byte(text), Timestamp: time.Now()},
	}})
}
