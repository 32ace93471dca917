package build

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestOutputOfATakenName has another build take an image's name in the engine
// before it is written to a file: that image is not what was built.
func TestOutputOfATakenName(t *testing.T) { eachDocker(t, testOutputOfATakenName) }

func testOutputOfATakenName(t *testing.T, r rig) {
	for _, kind := range []string{"tar", "oci"} {
		s := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /ours\n"})
		tag, out := "shop:taken-"+kind, imagetest.Dir(t)
		s.Builds.Outputs = []Output{{Layout: kind == "oci", Path: filepath.Join(out, "image")}}
		other := r.site(t, dockerKind, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /others\n"}).begin(t.Context(), t, tag, false)
		named := naming("docker.io/library/" + tag)
		var took sync.Once
		s.Builds.Progress = writer(func(p []byte) (int, error) {
			if named.Match(p) {
				took.Do(func() { hosttest.As[abi.DockerBuildResult](t, other()) })
			}
			return s.progress.Write(p)
		})
		s.wantLine(t, s.build(t.Context(), t, tag, false), abi.CodeFailed, "another build has given the name "+tag)
		took.Do(func() { t.Errorf("the name was not taken:\n%s", s.progress) })
		wantEmpty(t, out)
	}
}

// TestOutputInASwappedDirectory has a link take the place of an output's directory once
// it was decided on: nothing is written where it leads.
func TestOutputInASwappedDirectory(t *testing.T) { eachRig(t, testOutputInASwappedDirectory) }

func testOutputInASwappedDirectory(t *testing.T, r rig) {
	for _, e := range r.all() {
		for _, kind := range []string{"tar", "oci"} {
			t.Run(string(e.Kind)+" "+kind, func(t *testing.T) {
				s := r.site(t, e, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
				dir, elsewhere := filepath.Join(s.Root, "dist"), imagetest.Dir(t)
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				s.Builds.Outputs = []Output{{Layout: kind == "oci", Path: filepath.Join(dir, "image")}}
				b := s.images()
				p, err := b.resolve(t.Context(), abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:swapped"}})
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Remove(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(elsewhere, dir); err != nil {
					t.Fatal(err)
				}
				if _, err := b.build(t.Context(), p); err == nil || !strings.Contains(err.Error(), "its directory was replaced after it was decided on") {
					t.Errorf("got %v", err)
				}
				wantEmpty(t, elsewhere)
			})
		}
	}
}

// TestImageThatGoesNowhere wants a note on an image that only a daemon's
// cache has, and not of others.
func TestImageThatGoesNowhere(t *testing.T) { eachRig(t, testImageThatGoesNowhere) }

func testImageThatGoesNowhere(t *testing.T, r rig) {
	for _, e := range r.running() {
		for _, out := range []bool{false, true} {
			s := r.site(t, e, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
			if out {
				s.outputs(imagetest.Dir(t))
			}
			hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:nowhere", false))
			noted := strings.Contains(s.progress.String(), "the image stays in the daemon's cache only: use --push, --load or --output")
			if want := e.Kind == BuildKit && !out; noted != want {
				t.Errorf("%s, written %v: noted %v\n%s", e.Kind, out, noted, s.progress)
			}
		}
	}
}
