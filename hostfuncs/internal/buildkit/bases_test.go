package buildkit

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
)

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
