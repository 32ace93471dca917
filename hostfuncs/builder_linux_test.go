package hostfuncs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestOutputs builds with each engine, and wants the image where it was asked
// for.
func TestOutputs(t *testing.T) {
	host, fatal, err := providertest.Engine(t.Name())
	if fatal {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	daemon, err := ParseEngine("buildkit+"+providertest.BuildKit(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, engine := range []Engine{{Kind: EngineDocker}, daemon, {Kind: EngineEmbedded}} {
		t.Run(string(engine.Kind), func(t *testing.T) {
			p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch\nCOPY file /\n", "app/file": "in it"})
			p.Environ = append(p.Environ, "DOCKER_HOST="+host, "DOCKER_CONFIG="+t.TempDir())
			out := imagetest.Dir(t)
			progress := new(strings.Builder)
			p.Builds = BuildOptions{
				Engine: engine, Mode: "plain", Progress: progress, Load: true,
				Outputs: []Output{{Path: filepath.Join(out, "image.tar")}, {Layout: true, Path: filepath.Join(out, "layout")}},
			}
			g := buildGate(t, p, allowBuild, connectEngine)
			built := as[abi.DockerBuildResult](t, call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:" + string(engine.Kind)}}))
			wantArchive(t, filepath.Join(out, "image.tar"), built.Image)
			wantLayout(t, filepath.Join(out, "layout"), built)
			e, err := p.connectDocker(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if found, ok, err := e.Find(t.Context(), built.Image); err != nil || !ok || found.ID != built.ID {
				t.Errorf("the engine has %v, %v, %v, built was %s\n%s", found, ok, err, built.ID, progress)
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
