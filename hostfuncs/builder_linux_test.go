package hostfuncs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestOutputs builds with each engine, and wants the image where it was asked
// for.
func TestOutputs(t *testing.T) { eachRig(t, testOutputs) }

func testOutputs(t *testing.T, r rig) {
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "in it"})
			out := imagetest.Dir(t)
			s.outputs(out)
			s.Builds.Load = true
			built := as[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:"+string(engine.Kind), false))
			wantArchive(t, filepath.Join(out, "image.tar"), built.Image)
			wantLayout(t, filepath.Join(out, "layout"), built)
			e, err := s.connectDocker(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if found, ok, err := e.Find(t.Context(), built.Image); err != nil || !ok || found.ID != built.ID {
				t.Errorf("the engine has %v, %v, %v, built was %s\n%s", found, ok, err, built.ID, s.progress)
			}
		})
	}
}

func wantLayout(t *testing.T, dir string, built abi.DockerBuildResult) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	if err := json.Unmarshal(text, &index); err != nil || len(index.Manifests) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	names := index.Manifests[0].Annotations
	name, tag := names["io.containerd.image.name"], names["org.opencontainers.image.ref.name"]
	if want := "docker.io/library/" + built.Image; name != want || !strings.HasSuffix(want, ":"+tag) {
		t.Errorf("it is called %q, %q there, built was %s", name, tag, built.Image)
	}
	if built.Digest != "" && index.Manifests[0].Digest != built.Digest {
		t.Errorf("%s is in it, built was %s", index.Manifests[0].Digest, built.Digest)
	}
	blob := func(digest string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, "blobs", filepath.FromSlash(strings.Replace(digest, ":", "/", 1))))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var manifest struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(blob(index.Manifests[0].Digest), &manifest); err != nil || manifest.Config.Digest != built.ID {
		t.Errorf("its image is %s (%v), built was %s", manifest.Config.Digest, err, built.ID)
	}
	blob(built.ID)
}
