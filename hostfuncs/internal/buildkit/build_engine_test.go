package buildkit

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// eachBuildKit runs a test with the BuildKit of each engine for tests that has one.
func eachBuildKit(t *testing.T, test func(*testing.T, *Builder)) {
	t.Helper()
	providertest.BuildKitEngines(t, func(t *testing.T, e providertest.Engine) { test(t, inEngine(t, e.Host)) })
}

// inEngine is the BuildKit of an engine.
func inEngine(t *testing.T, host string) *Builder {
	t.Helper()
	env := map[string]string{"DOCKER_HOST": host, "DOCKER_CONFIG": t.TempDir()}
	e, err := docker.Connect(t.Context(), func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	b, err := InEngine(t.Context(), e.Address(), e.Hijack)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// aBuild is a build of a context with these files.
func aBuild(t *testing.T, files map[string]string) image.Build {
	t.Helper()
	dir, dockerfile := imagetest.Context(t, files)
	return image.Build{Context: dir, Dockerfile: dockerfile, Text: []byte(files["Dockerfile"])}
}

// transferred is how many bytes of the context a build sent, as BuildKit tells.
func transferred(s *client.SolveStatus, sum *int64) {
	for _, status := range s.Statuses {
		if strings.HasPrefix(status.ID, "transferring context") {
			*sum = status.Current
		}
	}
}

func TestEngineSendsWhatChanged(t *testing.T) { eachBuildKit(t, testEngineSendsWhatChanged) }

func testEngineSendsWhatChanged(t *testing.T, b *Builder) {
	what := aBuild(t, map[string]string{
		"Dockerfile": "FROM scratch\nCOPY . /\n", "large": strings.Repeat("x", 1<<20), "small": "1", "left": "", ".dockerignore": "left",
	})
	build := func() (built image.Image, sent int64) {
		t.Helper()
		built, err := b.Build(t.Context(), what, Options{Key: t.Name(), Status: func(s *client.SolveStatus) { transferred(s, &sent) }})
		if err != nil {
			t.Fatal(err)
		}
		return built, sent
	}
	first, all := build()
	if all < 1<<20 {
		t.Errorf("%d bytes were sent, of a context of more than 1 MiB", all)
	}
	again, none := build()
	if again.ID() != first.ID() || none > 10<<10 {
		t.Errorf("again: %d bytes were sent, for %v and then %v", none, first, again)
	}
	imagetest.Write(t, what.Context, map[string]string{"small": "23"})
	other, some := build()
	if other.ID() == first.ID() || some > 10<<10 {
		t.Errorf("with a file changed: %d bytes were sent, for %v and then %v", some, first, other)
	}
}

func TestEngineStepFails(t *testing.T) { eachBuildKit(t, testEngineStepFails) }

func testEngineStepFails(t *testing.T, b *Builder) {
	for _, tt := range []struct {
		name, text string
		want       image.Error
	}{
		{"no Dockerfile", "FROM scratch\nNONSENSE\n", image.Error{Line: 2, Message: "unknown instruction: NONSENSE"}},
		{"no file", "FROM scratch\n\nCOPY none /\n", image.Error{Line: 3, Step: "COPY none", Message: "none"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var shown bytes.Buffer
			_, err := b.Build(t.Context(), aBuild(t, map[string]string{"Dockerfile": tt.text}), Options{Key: t.Name()})
			failed, ok := errors.AsType[*image.Error](err)
			if !ok || failed.Line != tt.want.Line || !strings.Contains(failed.Step, tt.want.Step) || !strings.Contains(failed.Message, tt.want.Message) {
				t.Errorf("got %#v\n%s", err, shown.String())
			}
		})
	}
}

// TestEngineTakesTheDockerfile builds two that differ in nothing that a file
// system shows: what was decided on is built, and not what was sent before.
func TestEngineTakesTheDockerfile(t *testing.T) { eachBuildKit(t, testEngineTakesTheDockerfile) }

func testEngineTakesTheDockerfile(t *testing.T, b *Builder) {
	var ids []string
	for _, text := range []string{"FROM scratch\nLABEL a=1\n", "FROM scratch\nLABEL a=2\n"} {
		built, err := b.Build(t.Context(), aBuild(t, map[string]string{"Dockerfile": text}), Options{Key: t.Name()})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, built.ID())
	}
	if ids[0] == ids[1] {
		t.Errorf("both are %s", ids[0])
	}
}
