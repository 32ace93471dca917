package hostfuncs

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// TestNoEngine wants the embedded builder where no engine answers and it can
// do, and otherwise both reasons.
func TestNoEngine(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		engine     Engine
		nowhere    bool
		want       []string // of the error, none for an image
	}{
		{name: "nothing runs", text: "FROM scratch\nCOPY file /\n"},
		{name: "a step runs", text: "FROM scratch\nCOPY file /\nRUN make\n", want: []string{"no Docker engine at unix:///none.sock", "app/Dockerfile:3: RUN needs an engine"}},
		{name: "nowhere to go", text: "FROM scratch\n", nowhere: true, want: []string{"no Docker engine", "keeps no images", "--output"}},
		{name: "docker is meant", text: "FROM scratch\n", engine: Engine{Kind: EngineDocker}, want: []string{"no Docker engine"}},
		{name: "a daemon is meant", text: "FROM scratch\n", engine: Engine{Kind: EngineBuildKit, Address: "unix:///none.sock"}, want: []string{"no BuildKit at unix:///none.sock"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProject(t, map[string]string{"app/Dockerfile": tt.text, "app/file": "in it"})
			p.Environ = append(p.Environ, "DOCKER_HOST=unix:///none.sock", "DOCKER_CONFIG="+t.TempDir())
			p.Builds = BuildOptions{Engine: tt.engine, Mode: "plain", Progress: new(strings.Builder)}
			if !tt.nowhere {
				p.Builds.Outputs = []Output{{Path: filepath.Join(t.TempDir(), "image.tar")}}
			}
			reply := call(t, buildGate(t, p, allowBuild, connectEngine), abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}})
			if tt.want == nil {
				as[abi.DockerBuildResult](t, reply)
				wantArchive(t, p.Builds.Outputs[0].Path, "shop:1")
				return
			}
			for _, want := range tt.want {
				wantError(t, reply, abi.CodeUnavailable, want)
			}
		})
	}
}

func wantArchive(t *testing.T, file, tag string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for archive := tar.NewReader(f); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("%s names no images", file)
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != "manifest.json" {
			continue
		}
		if text, err := io.ReadAll(archive); err != nil || !strings.Contains(string(text), tag) {
			t.Errorf("%s has %s, %v, without %s", file, text, err, tag)
		}
		return
	}
}
