package hostfuncs

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	memoryregistry "github.com/google/go-containerregistry/pkg/registry"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestHeredocs has a file in the Dockerfile itself, which each engine builds or
// refuses.
func TestHeredocs(t *testing.T) { eachRig(t, testHeredocs) }

func testHeredocs(t *testing.T, r rig) {
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s := r.site(t, e, map[string]string{"Dockerfile": "FROM scratch\nCOPY <<END /text\nhere\nEND\n"})
			if e.Kind == EngineDocker && !r.about.Containerd {
				// Newer engines without containerd's image store know here-documents.
				if reply := s.build(t.Context(), t, "shop:heredoc", false); reply.Error != nil {
					s.wantLine(t, reply, abi.CodeFailed, "app/Dockerfile:2: build: this engine takes the lines of a here-document for instructions")
					return
				}
			}
			if got := s.imageFiles(t)["text"].Text; got != "here\n" {
				t.Errorf("the file has %q", got)
			}
		})
	}
}

// TestHeredocHidesNoInstruction has lines of a here-document be instructions to a
// frontend that knows none: a last stage on an image that nobody decided on.
func TestHeredocHidesNoInstruction(t *testing.T) { eachRig(t, testHeredocHidesNoInstruction) }

func testHeredocHidesNoInstruction(t *testing.T, r rig) {
	var asked atomic.Int32
	registry := memoryregistry.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.Contains(q.URL.Path, "/evil/") {
			asked.Add(1)
		}
		registry.ServeHTTP(w, q)
	}))
	defer server.Close()
	evil := strings.TrimPrefix(server.URL, "http://") + "/evil:1"
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s := r.site(t, e, map[string]string{"Dockerfile": "FROM scratch\nRUN <<CMD\nFROM " + evil + "\nCMD\n"})
			s.policy = strings.Replace(allowEach, "bases: ['**']", "bases: []", 1)
			s.embeddedOutputs(t)
			s.wantLine(t, s.build(t.Context(), t, "shop:heredoc", false), abi.CodeFailed, "app/Dockerfile:2: ")
			if n := asked.Swap(0); n > 0 {
				t.Errorf("the registry was asked %d times for what was not decided on", n)
			}
		})
	}
}
