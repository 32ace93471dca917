package build

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

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
			if e.Kind == Docker && !r.about.Containerd {
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

// misread are Dockerfiles that are built from R/good:1, and by engines that take
// the line for something else from an image that nobody decided on.
var misread = map[string]struct {
	text               string
	line               string
	docker2010, podman bool
}{
	"here-document": {"FROM R/good:1\nCOPY <<CMD /x\nFROM R/evil:1\nCMD\n", "2", true, true},
	"ARG again":     {"ARG A=good\nARG A\nFROM R/${A:-evil}:1\nLABEL a=b\n", "2", true, false},
	"stage again":   {"FROM R/evil:1 AS a\nLABEL a=b\nFROM R/good:1 AS a\nLABEL a=b\nFROM a\nLABEL b=c\n", "3", false, true},
	"stage case":    {"FROM R/good:1 AS Base\nLABEL a=b\nFROM base\nLABEL b=c\n", "3", false, true},
}

// TestMisread wants no engine to ask for what nobody decided on.
func TestMisread(t *testing.T) { eachRig(t, testMisread) }

func testMisread(t *testing.T, r rig) {
	var evil atomic.Int32
	registry := memoryregistry.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.Contains(q.URL.Path, "/evil/") {
			evil.Add(1)
		}
		registry.ServeHTTP(w, q)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	hosttest.As[abi.DockerBuildResult](t, r.site(t, embeddedKind, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}).build(t.Context(), t, host+"/good:1", true))
	for _, e := range r.all() {
		for name, tt := range misread {
			t.Run(string(e.Kind)+" "+name, func(t *testing.T) {
				s := r.site(t, e, map[string]string{"Dockerfile": strings.ReplaceAll(tt.text, "R/", host+"/")})
				s.policy = strings.Replace(allowEach, "bases: ['**']", "bases: ['"+host+"/good:1']", 1)
				s.embeddedOutputs(t)
				reply := s.build(t.Context(), t, "shop:misread", false)
				old := r.about.BuildKit && !r.about.Containerd
				if e.Kind == Docker && (old && tt.docker2010 || r.about.Podman && tt.podman) {
					s.wantLine(t, reply, abi.CodeFailed, "app/Dockerfile:"+tt.line+": build: this engine ")
				} else {
					hosttest.As[abi.DockerBuildResult](t, reply)
				}
				if n := evil.Swap(0); n > 0 {
					t.Errorf("the registry was asked %d times for what was not decided on", n)
				}
			})
		}
	}
}
