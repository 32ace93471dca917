package buildkit

import (
	"encoding/json"
	"io"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Lines shows a step that is none of BuildKit's, and tells what it does in lines
// of text, as the mode rawjson has it: each Write is one message. mask is as for
// [NewDisplay].
func Lines(out io.Writer, name string, mask func(string) string) io.Writer {
	if mask == nil {
		mask = func(text string) string { return text }
	}
	l := &lines{to: json.NewEncoder(out), mask: mask, step: digest.FromString(name)}
	now := time.Now()
	_ = l.to.Encode(client.SolveStatus{Vertexes: []*client.Vertex{
		{Digest: l.step, Name: mask(termtext.Line(name, 1000)), Started: &now},
	}})
	return l
}

type lines struct {
	to   *json.Encoder
	mask func(string) string
	step digest.Digest
}

func (l *lines) Write(p []byte) (int, error) {
	text := l.mask(termtext.Clean(string(p)))
	return len(p), l.to.Encode(client.SolveStatus{Logs: []*client.VertexLog{
		{Vertex: l.step, Stream: 1, Data: []byte(text), Timestamp: time.Now()},
	}})
}
