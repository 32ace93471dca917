package build

import (
	"archive/tar"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
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
		{name: "nowhere to go", text: "FROM scratch\n", nowhere: true, want: []string{"no Docker engine", "does not keep images", "--output"}},
		{name: "docker is meant", text: "FROM scratch\n", engine: Engine{Kind: Docker}, want: []string{"no Docker engine"}},
		{name: "a daemon is meant", text: "FROM scratch\n", engine: Engine{Kind: BuildKit, Address: "unix:///none.sock"}, want: []string{"no BuildKit at unix:///none.sock"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProject(t, map[string]string{"app/Dockerfile": tt.text, "app/file": "in it"})
			p.Environ = append(p.Environ, "DOCKER_HOST=unix:///none.sock", "DOCKER_CONFIG="+t.TempDir())
			p.Builds = Options{Engine: tt.engine, Mode: "plain", Progress: new(strings.Builder)}
			if !tt.nowhere {
				p.Builds.Outputs = []Output{{Path: filepath.Join(t.TempDir(), "image.tar")}}
			}
			reply := hosttest.Call(t, buildGate(t, p, allowBuild, nil), abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}})
			if tt.want == nil {
				hosttest.As[abi.DockerBuildResult](t, reply)
				wantArchive(t, p.Builds.Outputs[0].Path, "shop:1")
				return
			}
			for _, want := range tt.want {
				hosttest.WantError(t, reply, abi.CodeUnavailable, want)
			}
		})
	}
}

// TestOldEngine wants an engine that is too old to be reported, and not another
// builder to take its place.
func TestOldEngine(t *testing.T) {
	socket := filepath.Join(imagetest.ShortDir(t), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.40") })}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch\n"})
	p.Environ = append(p.Environ, "DOCKER_HOST=unix://"+socket, "DOCKER_CONFIG="+t.TempDir())
	p.Builds = Options{Mode: "plain", Progress: new(strings.Builder), Outputs: []Output{{Path: filepath.Join(t.TempDir(), "image.tar")}}}
	for _, kind := range []Kind{Auto, Docker} {
		p.Builds.Engine = Engine{Kind: kind}
		reply := hosttest.Call(t, buildGate(t, p, allowBuild, nil), abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}})
		hosttest.WantError(t, reply, abi.CodeUnavailable, "cannot use the Docker engine at unix://"+socket+" (from DOCKER_HOST): expected version 1.41 or later")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// TestNoDockerfile wants the reason of a Dockerfile that cannot be read, whatever
// was to build it.
func TestNoDockerfile(t *testing.T) {
	for _, kind := range []Kind{"", Auto, Docker, Embedded} {
		p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch\nNONSENSE\n"})
		p.Builds.Engine = Engine{Kind: kind}
		reply := hosttest.Call(t, buildGate(t, p, allowBuild, nil), abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}})
		hosttest.WantError(t, reply, abi.CodeFailed, "app/Dockerfile:2: ")
	}
}

func TestIsRemote(t *testing.T) {
	for address, want := range map[string]bool{
		"unix:///run/docker.sock": false, "npipe:////./pipe/docker_engine": false, "tcp://127.0.0.1:1": false, "tcp://localhost:1": false, "tcp://[::1]:1": false,
		"tcp://b.acme.dev:1": true, "https://10.0.0.1": true, "ssh://me@b": true, "%": true,
	} {
		if got := isRemote(address); got != want {
			t.Errorf("%s: got %v", address, got)
		}
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
