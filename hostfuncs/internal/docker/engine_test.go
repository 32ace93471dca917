package docker

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	engineimage "github.com/docker/docker/api/types/image"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestMain names a proxy that is not there, for all tests: sockets ignore it.
func TestMain(m *testing.M) {
	os.Setenv("HTTP_PROXY", "http://192.0.2.1:9")
	os.Exit(m.Run())
}

// eachEngine runs a test with each engine for tests; see .ci/with-engine.
func eachEngine(t *testing.T, test func(*testing.T, *Engine)) {
	t.Helper()
	providertest.Engines(t, func(t *testing.T, e providertest.Engine) {
		test(t, connected(t, map[string]string{"DOCKER_HOST": e.Host, "DOCKER_CONFIG": t.TempDir()}))
	})
}

// podman reports whether the engine is Podman, which words much in its own way.
func (e *Engine) podman(t *testing.T) bool {
	t.Helper()
	return providertest.Engine{Host: e.Address()}.About(t).Podman
}

// says is how the engine words something, Docker or Podman.
func (e *Engine) says(t *testing.T, docker, podman string) string {
	t.Helper()
	if e.podman(t) {
		return podman
	}
	return docker
}

func connected(t *testing.T, env map[string]string) *Engine {
	t.Helper()
	e, err := Connect(t.Context(), environ(env))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func environ(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// compileTool compiles testdata/tool once for all tests.
var compileTool = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "docker-test-tool")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tool")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./testdata/tool")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// toolContext returns a context with the tool and the files.
func toolContext(t *testing.T, files map[string]string) image.Build {
	t.Helper()
	tool, err := compileTool()
	if err != nil {
		t.Fatal(err)
	}
	dir := imagetest.Dir(t)
	imagetest.Write(t, dir, files)
	if err := os.WriteFile(filepath.Join(dir, "tool"), tool, 0o755); err != nil {
		t.Fatal(err)
	}
	return image.Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
}

// mustBuild builds, and removes the image when the test is over.
func mustBuild(t *testing.T, e *Engine, b image.Build) (image.Image, string) {
	t.Helper()
	var progress bytes.Buffer
	built, err := e.BuildClassic(t.Context(), b, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	t.Cleanup(func() {
		_, err := e.client.ImageRemove(context.Background(), built.ID(), engineimage.RemoveOptions{Force: true, PruneChildren: true})
		if err != nil {
			t.Log(err)
		}
	})
	return built, progress.String()
}

// imageFiles returns the files of all layers of an image, by name.
func imageFiles(t *testing.T, e *Engine, id string) map[string]imagetest.File {
	t.Helper()
	saved, err := e.client.ImageSave(t.Context(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	defer saved.Close()
	archive := imagetest.Tar(t, saved)
	var manifest []struct{ Layers []string }
	if err := json.Unmarshal([]byte(archive["manifest.json"].Text), &manifest); err != nil {
		t.Fatal(err)
	}
	files := map[string]imagetest.File{}
	for _, layer := range manifest[0].Layers {
		// An engine with containerd's image store gives layers out as it has them.
		var plain io.Reader = strings.NewReader(archive[layer].Text)
		if packed, err := gzip.NewReader(strings.NewReader(archive[layer].Text)); err == nil {
			plain = packed
		}
		for name, f := range imagetest.Tar(t, plain) {
			files[name] = f
		}
	}
	return files
}
