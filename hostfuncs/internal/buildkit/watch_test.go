package buildkit

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// shown is what a display makes of updates, in a mode.
func shown(t testing.TB, mode string, updates ...*client.SolveStatus) string {
	t.Helper()
	var out bytes.Buffer
	d, err := Progress{Out: &out, Mode: mode}.Display()
	if err != nil {
		t.Fatal(err)
	}
	w := newWatch(d.Show)
	for _, update := range updates {
		w.updates <- update
	}
	close(w.updates)
	w.wait()
	d.Close()
	return out.String()
}

// TestWatchCleans has a builder put what steers a terminal, and what orders a
// runner about, into each text that is shown.
func TestWatchCleans(t *testing.T) {
	const evil = "\x1b]0;x\a\x1b[2Jevil\u202e\r\n::error::x"
	now := time.Now()
	one, two := digest.FromString("1"), digest.FromString("2")
	for _, mode := range []string{"plain", "rawjson"} {
		got := shown(t, mode, &client.SolveStatus{
			Vertexes: []*client.Vertex{
				{Digest: one, Name: evil, Error: evil, Started: &now, Completed: &now},
				{Digest: two, Name: evil, Started: &now, Completed: &now, ProgressGroup: &pb.ProgressGroup{Id: "g", Name: evil}},
			},
			Statuses: []*client.VertexStatus{{ID: evil, Name: evil, Vertex: one, Started: &now}},
			Logs:     []*client.VertexLog{{Vertex: one, Data: []byte(evil + "\n"), Timestamp: now}},
			Warnings: []*client.VertexWarning{{Vertex: one, Short: []byte(evil), URL: evil, Detail: [][]byte{[]byte(evil)}}},
		})
		for _, sign := range []string{"\x1b", "\a", "\r", "\u202e", "\n::", "u001b", "u0007"} {
			if strings.Contains(got, sign) {
				t.Errorf("%s: %q is in what is shown:\n%q", mode, sign, got)
			}
		}
		if !strings.Contains(got, "evil") {
			t.Errorf("%s: nothing is shown", mode)
		}
	}
}

// TestWatchBounds has a builder tell of more than any build has.
func TestWatchBounds(t *testing.T) {
	now := time.Now()
	vertexes, parts, warnings := 0, 0, 0
	w := newWatch(func(s *client.SolveStatus) {
		vertexes, parts, warnings = vertexes+len(s.Vertexes), parts+len(s.Statuses), warnings+len(s.Warnings)
	})
	one := digest.FromString("1")
	w.updates <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: one, Started: &now}, {Digest: digest.Digest(strings.Repeat("x", maxName+1))}}}
	for i := range 2 * maxSteps {
		name := fmt.Sprint(i)
		w.updates <- &client.SolveStatus{
			Vertexes: []*client.Vertex{{Digest: digest.Digest(name), Name: strings.Repeat("x", 10*maxName), Started: &now}},
			Statuses: []*client.VertexStatus{{Vertex: one, ID: name}, {Vertex: one, ID: strings.Repeat("x", maxName+1)}},
			Warnings: []*client.VertexWarning{{Vertex: one}},
		}
	}
	close(w.updates)
	w.wait()
	if vertexes != maxSteps || parts != maxParts || warnings != maxParts {
		t.Errorf("shown are %d steps, %d parts, %d warnings", vertexes, parts, warnings)
	}
}

// FuzzDisplay wants whatever a builder tells to be shown, or not, but nothing to
// break.
func FuzzDisplay(f *testing.F) {
	now := timestamppb.New(time.Unix(1, 0))
	seed, err := proto.Marshal(&controlapi.StatusResponse{
		Vertexes: []*controlapi.Vertex{
			{Digest: "a", Name: "x", Started: now, Completed: now, ProgressGroup: &pb.ProgressGroup{Id: "a", Name: "g", Weak: true}},
			{Digest: "b", Inputs: []string{"a"}, Error: "e", Started: now},
		},
		Statuses: []*controlapi.VertexStatus{{ID: "s", Vertex: "b", Current: -1, Total: 1, Started: now, Completed: now}},
		Logs:     []*controlapi.VertexLog{{Vertex: "b", Msg: []byte("l\r\n\x1b[K")}},
		Warnings: []*controlapi.VertexWarning{{Vertex: "b", Level: 9, Short: []byte("w")}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, seed)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, mode := range []string{"plain", "rawjson", "quiet"} {
			var updates []*client.SolveStatus
			for _, data := range [][]byte{first, second} {
				var status controlapi.StatusResponse
				if proto.Unmarshal(data, &status) == nil {
					updates = append(updates, client.NewSolveStatus(&status))
				}
			}
			if got := shown(t, mode, updates...); strings.ContainsAny(got, "\x1b\r\a\x00") {
				t.Errorf("%s: %q", mode, got)
			}
		}
	})
}

// TestBases has names of steps as BuildKit gives them, and what programs could
// make theirs look like.
func TestBases(t *testing.T) {
	a, b := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	for name, tt := range map[string]struct {
		names []string
		want  map[string]string
	}{
		"plain":         {[]string{"[1/2] FROM a.test/x:1@" + a}, map[string]string{"a.test/x:1": a}},
		"stage":         {[]string{"[build 1/12] FROM a.test/x:1@" + a}, map[string]string{"a.test/x:1": a}},
		"platforms":     {[]string{"[linux/amd64->arm64 build 1/2] FROM a.test:5000/x:1@" + a}, map[string]string{"a.test:5000/x:1": a}},
		"alone":         {[]string{"FROM a.test/x:1@" + a}, map[string]string{"a.test/x:1": a}},
		"twice":         {[]string{"[a 1/2] FROM x:1@" + a, "[b 1/2] FROM x:1@" + a}, map[string]string{"x:1": a}},
		"two digests":   {[]string{"[a 1/2] FROM x:1@" + a, "[b 1/2] FROM x:1@" + b, "[b 1/2] FROM x:1@" + b}, map[string]string{}},
		"no digest":     {[]string{"[1/2] FROM x:1"}, map[string]string{}},
		"other digest":  {[]string{"[1/2] FROM x:1@sha512:" + strings.Repeat("a", 128)}, map[string]string{}},
		"a command's":   {[]string{"[2/2] RUN FROM x:1@" + a, "[2/2] RUN true] FROM x:1@" + a, "[2/2] COPY a] FROM x:1@" + a + " /"}, map[string]string{}},
		"more after it": {[]string{"[1/2] FROM x:1@" + a + " AS y"}, map[string]string{}},
	} {
		got := bases{}
		for _, step := range tt.names {
			got.note(step)
		}
		if known := got.known(); !maps.Equal(known, tt.want) {
			t.Errorf("%s: got %v, want %v", name, known, tt.want)
		}
	}
}

// TestBasesOfStepsThatChange has a builder call one step by ever other names:
// what is kept of it is the last.
func TestBasesOfStepsThatChange(t *testing.T) {
	w := newWatch(nil)
	digest := "sha256:" + strings.Repeat("a", 64)
	for i := range 100 {
		w.updates <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:1", Name: fmt.Sprintf("[1/2] FROM a.test/x:%d@%s", i, digest)}}}
	}
	close(w.updates)
	w.wait()
	if got, want := w.bases(), map[string]string{"a.test/x:99": digest}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
