package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

func TestBuildSendsTheContext(t *testing.T) { eachEngine(t, testBuildSendsTheContext) }

func testBuildSendsTheContext(t *testing.T, e *Engine) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string // below /app
		// podman is what Podman has, as BuildKit does, nil for the same. In the
		// place of .dockerignore Docker's classic builder gets the file in effect.
		podman []string
	}{
		{
			name:  "all of it",
			files: map[string]string{"Dockerfile": "", "a": "", "dir/b": "", "empty/": ""},
			want:  []string{"Dockerfile", "a", "dir/", "dir/b", "empty/", "tool"},
		},
		{
			name:  "but what is ignored",
			files: map[string]string{"Dockerfile": "", ".dockerignore": "*.log\nnode_modules\n!keep.log\n", "x.log": "", "keep.log": "", "node_modules/m/x": "", "a": ""},
			want:  []string{".dockerignore", "Dockerfile", "a", "keep.log", "tool"},
		},
		{
			name:  "the build's own files when they are ignored",
			files: map[string]string{"Dockerfile": "", ".dockerignore": "Dockerfile\n.dockerignore\n", "a": ""},
			want:  []string{"a", "tool"},
		},
		{
			name:  "the Dockerfile's ignore file first",
			files: map[string]string{"Dockerfile": "", "Dockerfile.dockerignore": "a\nDockerfile*\n", ".dockerignore": "b\n", "a": "", "b": ""},
			want:  []string{"b", "tool"}, podman: []string{".dockerignore", "b", "tool"},
		},
		{
			name:  "ignored but for a file deep down",
			files: map[string]string{"Dockerfile": "", ".dockerignore": "*\n!tool\n!src/**/*.go\n", "src/a/b/c.go": "", "src/a/b/c.md": "", "src/x/y": ""},
			want:  []string{"src/", "src/a/", "src/a/b/", "src/a/b/c.go", "tool"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.files["Dockerfile"] = "FROM scratch\nCOPY . /app/\n"
			if tt.podman != nil && e.podman(t) {
				tt.want = tt.podman
			}
			built, _ := mustBuild(t, e, toolContext(t, tt.files))
			if diff := cmp.Diff(tt.want, below(imageFiles(t, e, built.ID()), "app/")); diff != "" {
				t.Errorf("files in the image (-want +got):\n%s", diff)
			}
		})
	}
}

func below(files map[string]imagetest.File, dir string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if rest, ok := strings.CutPrefix(name, dir); ok && rest != "" {
			names = append(names, rest)
		}
	}
	return names
}

func TestBuildKeepsWhatAFileIs(t *testing.T) { eachEngine(t, testBuildKeepsWhatAFileIs) }

func testBuildKeepsWhatAFileIs(t *testing.T, e *Engine) {
	b := toolContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY . /app/\n", "run.sh": "#!", "private": "x"})
	when := time.Date(2020, 2, 3, 4, 5, 6, 700e6, time.UTC)
	for _, err := range []error{
		os.Chmod(filepath.Join(b.Context, "run.sh"), 0o755),
		os.Chmod(filepath.Join(b.Context, "private"), 0o600),
		os.Chtimes(filepath.Join(b.Context, "private"), when, when),
		os.Symlink("/etc/passwd", filepath.Join(b.Context, "absolute")),
		os.Symlink("../../outside", filepath.Join(b.Context, "relative")),
		os.Symlink("nowhere", filepath.Join(b.Context, "dangling")),
		os.Link(filepath.Join(b.Context, "private"), filepath.Join(b.Context, "hard")),
		os.Lchown(filepath.Join(b.Context, "private"), 1234, 1234),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	targets := map[string]string{"absolute": "/etc/passwd", "relative": "../../outside", "dangling": "nowhere"}
	if e.podman(t) {
		_, err := e.BuildClassic(t.Context(), b, nil)
		if _, ok := errors.AsType[*image.Error](err); !ok || !strings.Contains(err.Error(), "if a link in the context leads out of it") {
			t.Errorf("got %v", err)
		}
		delete(targets, "relative")
		if err := os.Remove(filepath.Join(b.Context, "relative")); err != nil {
			t.Fatal(err)
		}
	}
	built, _ := mustBuild(t, e, b)
	files := imageFiles(t, e, built.ID())
	for name, target := range targets {
		if got := files["app/"+name].Linkname; got != target {
			t.Errorf("%s leads to %q, want %q", name, got, target)
		}
	}
	if got := files["app/run.sh"].Mode & 0o7777; got != 0o755 {
		t.Errorf("run.sh has mode %o", got)
	}
	private := files["app/private"]
	if private.Mode&0o7777 != 0o600 || private.Uid != 0 || private.Gid != 0 || !private.ModTime.Equal(when.Truncate(time.Second)) {
		t.Errorf("private is %o %d:%d %v", private.Mode, private.Uid, private.Gid, private.ModTime)
	}
	if got := files["app/hard"].Text; got != "x" {
		t.Errorf("the hard link contains %q", got)
	}
}

func TestBuildTakesArgumentsTargetAndTags(t *testing.T) {
	eachEngine(t, testBuildTakesArgumentsTargetAndTags)
}

func testBuildTakesArgumentsTargetAndTags(t *testing.T, e *Engine) {
	b := toolContext(t, map[string]string{"Dockerfile": `
FROM scratch AS first
ARG VERSION
ARG EMPTY=default
COPY tool /tool
RUN ["/tool", "env", "/version", "VERSION"]
RUN ["/tool", "env", "/empty", "EMPTY"]
FROM first
RUN ["/tool", "write", "/second", "x"]
`})
	b.Args = map[string]string{"VERSION": "1.2 & more", "EMPTY": ""}
	b.Target = "first"
	b.Tags = []string{"stagecraft.test/one:a", "stagecraft.test/two"}
	built, _ := mustBuild(t, e, b)
	files := imageFiles(t, e, built.ID())
	if got := files["version"].Text; got != "1.2 & more" {
		t.Errorf("VERSION was %q", got)
	}
	if got := files["empty"].Text; got != "" {
		t.Errorf("EMPTY was %q", got)
	}
	if _, ok := files["second"]; ok {
		t.Error("a stage after the target was built")
	}
	for tag, want := range map[string]bool{"stagecraft.test/one:a": true, "stagecraft.test/two:latest": true, "stagecraft.test/one:b": false} {
		if _, got, err := e.Find(t.Context(), tag); err != nil || got != want {
			t.Errorf("Find(%s) = %v, %v", tag, got, err)
		}
	}
}

// TestBuildNetwork wants steps to reach what listens on the loopback interface of
// the engine's machine in the host's network alone, whatever the engine.
func TestBuildNetwork(t *testing.T) { eachEngine(t, testBuildNetwork) }

func testBuildNetwork(t *testing.T, e *Engine) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := toolContext(t, map[string]string{"Dockerfile": fmt.Sprintf("FROM scratch\nCOPY tool /tool\nRUN [\"/tool\", \"links\"]\nRUN [\"/tool\", \"dial\", %q]\n", l.Addr())})
	for network, reached := range map[string]bool{"": false, "default": false, "none": false, "host": true} {
		t.Run("network "+network, func(t *testing.T) {
			b := b
			b.Network, b.NoCache = network, true
			_, progress := mustBuild(t, e, b)
			if want := fmt.Sprintf("reached: %v\n", reached); !strings.Contains(progress, want) {
				t.Errorf("want %s\n%s", want, progress)
			}
			if network == "none" && !strings.Contains(progress, "interfaces: 1\n") {
				t.Errorf("there is more than the loopback interface:\n%s", progress)
			}
		})
	}
}

func TestBuildDockerfileFromOutside(t *testing.T) { eachEngine(t, testBuildDockerfileFromOutside) }

func testBuildDockerfileFromOutside(t *testing.T, e *Engine) {
	for _, tt := range []struct{ name, ignore string }{{"no ignore file", ""}, {"an ignore file", "b\n.dockerignore\n"}} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"Dockerfile": "FROM nowhere", "a": "", "b": ""}
			want := []string{"Dockerfile", "a", "b", "tool"}
			if tt.ignore != "" {
				files[".dockerignore"] = tt.ignore
				want = []string{"Dockerfile", "a", "tool"}
			}
			b := toolContext(t, files)
			outside := imagetest.Dir(t)
			imagetest.Write(t, outside, map[string]string{"my.Dockerfile": "FROM scratch\nCOPY . /app/\n"})
			b.Dockerfile = filepath.Join(outside, "my.Dockerfile")
			built, _ := mustBuild(t, e, b)
			if diff := cmp.Diff(want, below(imageFiles(t, e, built.ID()), "app/")); diff != "" {
				t.Errorf("files in the image (-want +got):\n%s", diff)
			}
			again, progress := mustBuild(t, e, b)
			if again.ID() != built.ID() || !strings.Contains(progress, "Using cache") {
				t.Errorf("the second build made another image:\n%s", progress)
			}
		})
	}
}

func TestBuildFailedStep(t *testing.T) { eachEngine(t, testBuildFailedStep) }

func testBuildFailedStep(t *testing.T, e *Engine) {
	b := toolContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool /tool\nRUN [\"/tool\", \"lines\", \"30\", \"3\"]\n"})
	var progress strings.Builder
	_, err := e.BuildClassic(t.Context(), b, &progress)
	failed, ok := errors.AsType[*image.Error](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if want := e.says(t, `Step 3/3 : RUN ["/tool", "lines", "30", "3"]`, `STEP 3/3: RUN ["/tool", "lines", "30", "3"]`); failed.Step != want {
		t.Errorf("step %q, want %q", failed.Step, want)
	}
	if !strings.Contains(failed.Message, e.says(t, "returned a non-zero code: 3", "exit status 3")) {
		t.Errorf("message %q", failed.Message)
	}
	lines := strings.Split(failed.Log, "\n")
	if len(lines) != 20 || !slices.Contains(lines, "line 30") || slices.Contains(lines, "line 1") {
		t.Errorf("the log is %q", lines)
	}
	if !strings.Contains(progress.String(), "line 1\nline 2\n") {
		t.Errorf("progress:\n%s", progress.String())
	}
}

func TestBuildOutputIsPlainText(t *testing.T) { eachEngine(t, testBuildOutputIsPlainText) }

func testBuildOutputIsPlainText(t *testing.T, e *Engine) {
	b := toolContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool /tool\nRUN [\"/tool\", \"escapes\"]\n"})
	_, progress := mustBuild(t, e, b)
	for _, want := range []string{"red\n", "real\nfake\n"} {
		if !strings.Contains(progress, want) {
			t.Errorf("no %q in %q", want, progress)
		}
	}
	if strings.ContainsAny(progress, "\x1b\r\x07") {
		t.Errorf("control characters in %q", progress)
	}
}

func TestBuildRefused(t *testing.T) { eachEngine(t, testBuildRefused) }

func testBuildRefused(t *testing.T, e *Engine) {
	for _, tt := range []struct{ name, dockerfile, target, step, message string }{
		{"unknown instruction", "FRUM scratch\n", "", "", e.says(t, "unknown instruction: FRUM", "no FROM statement found")},
		{"empty", "", "", "", e.says(t, "cannot be empty", "no contents in ")},
		{"unknown target", "FROM scratch AS a\n", "b", "", "b"},
		{"unknown base image", "FROM 127.0.0.1:1/no/such:1\n", "", e.says(t, "Step 1/1 : ", "STEP 1/1: ") + "FROM 127.0.0.1:1/no/such:1", "connection refused"},
		{"file missing", "FROM scratch\nCOPY nothing /\n", "", e.says(t, "Step 2/2 : ", "STEP 2/2: ") + "COPY nothing /", "nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := toolContext(t, map[string]string{"Dockerfile": tt.dockerfile})
			b.Target = tt.target
			_, err := e.BuildClassic(t.Context(), b, nil)
			failed, ok := errors.AsType[*image.Error](err)
			if !ok || failed.Step != tt.step || !strings.Contains(failed.Message, tt.message) {
				t.Errorf("got %#v", err)
			}
		})
	}
}

// TestBuildCancel also sees to it that the step's process ends.
func TestBuildCancel(t *testing.T) { eachEngine(t, testBuildCancel) }

func testBuildCancel(t *testing.T, e *Engine) {
	b := toolContext(t, map[string]string{"Dockerfile": fmt.Sprintf("FROM scratch\nCOPY tool /tool\nRUN [\"/tool\", \"hang\", %q]\n", t.Name())})
	ended, broken := e.client.Events(t.Context(), events.ListOptions{Filters: filters.NewArgs(filters.Arg("event", "die"))})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := e.BuildClassic(ctx, b, writerFunc(func(p []byte) (int, error) {
		if string(p) == "hanging\n" {
			cancel()
		}
		return len(p), nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if e.podman(t) {
		return // Podman 4.3 goes on with the step
	}
	for {
		// A step that goes on for ever makes this hang.
		select {
		case event := <-ended:
			if event.Actor.Attributes["exitCode"] == "137" {
				return
			}
		case err := <-broken:
			t.Fatalf("the engine tells no events any more: %v", err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
