package buildkit

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/opencontainers/go-digest"
)

// TestDisplayHasNoSummary wants a failed step's lines once, a line of a program
// that looks like the summary's among them.
func TestDisplayHasNoSummary(t *testing.T) {
	var out strings.Builder
	d, err := Progress{Out: &out, Mode: "plain"}.Display()
	if err != nil {
		t.Fatal(err)
	}
	if !d.Streams() {
		t.Error("plain progress does not count as seen")
	}
	begun := time.Unix(1, 0)
	ended := begun.Add(time.Second)
	step := func(id string, lines string) {
		v := client.Vertex{Digest: digest.FromString(id), Name: id, Started: &begun}
		d.Show(&client.SolveStatus{Vertexes: []*client.Vertex{&v}})
		for line := range strings.Lines(lines) {
			d.Show(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: v.Digest, Data: []byte(line), Timestamp: ended}}})
		}
		over := v
		over.Completed, over.Error = &ended, "exit code: 1"
		d.Show(&client.SolveStatus{Vertexes: []*client.Vertex{&over}})
	}
	step("RUN one", "------\nfirst\n")
	step("RUN two", "second\n")
	d.Close()
	for _, text := range []string{"------", "first", "second", "ERROR: exit code: 1"} {
		want := 1
		if strings.HasPrefix(text, "ERROR") {
			want = 2
		}
		if n := strings.Count(out.String(), text); n != want {
			t.Errorf("%q is shown %d times:\n%s", text, n, out.String())
		}
	}
}

func TestStreams(t *testing.T) {
	for mode, want := range map[string]bool{"": true, "auto": true, "plain": true, "quiet": false, "rawjson": false} {
		d, err := Progress{Out: new(strings.Builder), Mode: mode}.Display()
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if d.Streams() != want {
			t.Errorf("%s: %v", mode, d.Streams())
		}
	}
}

// TestLines wants what an engine says in lines to be masked in each mode.
func TestLines(t *testing.T) {
	for _, mode := range []string{"auto", "plain", "tty", "rawjson", "quiet"} {
		out := new(strings.Builder)
		p := Progress{Out: out, Mode: mode, Mask: func(text string) string { return strings.ReplaceAll(text, "secret", "***") }}
		text := "a secret line\n"
		if n, err := p.Lines("building").Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%s: wrote %d, %v", mode, n, err)
		}
		want := "a *** line\n"
		switch mode {
		case "rawjson":
			want = base64.StdEncoding.EncodeToString([]byte(want))
		case "quiet":
			want = ""
		}
		if got := out.String(); !strings.Contains(got, want) || mode != "rawjson" && got != want {
			t.Errorf("%s: got %q", mode, got)
		}
	}
}
