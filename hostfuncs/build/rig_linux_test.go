package build

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// rig has the real things that build images.
type rig struct {
	host   string // of the Docker engine
	config string // the directory of the docker command's configuration
	about  providertest.EngineAbout
	others bool // the builders that are no Docker engine are tested as well
	daemon Engine
}

// eachRig runs a test with a rig for each Docker engine for tests, and with a
// BuildKit daemon. Where there are none, the test is left out, and fails in CI.
func eachRig(t *testing.T, test func(*testing.T, rig)) {
	t.Helper()
	eachDocker(t, func(t *testing.T, r rig) {
		r.daemon = daemonAt(t, providertest.BuildKit(t))
		test(t, r)
	})
}

// eachDocker runs a test with a rig for each Docker engine for tests alone.
func eachDocker(t *testing.T, test func(*testing.T, rig)) {
	t.Helper()
	providertest.Engines(t, func(t *testing.T, e providertest.Engine) {
		test(t, rig{host: e.Host, config: t.TempDir(), about: e.About(t), others: e.Host == providertest.EngineHost()})
	})
}

// daemonRig is for tests of a BuildKit daemon of their own, which can run where
// engines can.
func daemonRig(t *testing.T) rig {
	t.Helper()
	return rig{host: providertest.NeedEngine(t), config: t.TempDir()}
}

func daemonAt(t *testing.T, address string) Engine {
	t.Helper()
	e, err := ParseEngine("buildkit+"+address, "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var dockerKind, embeddedKind = Engine{Kind: Docker}, Engine{Kind: Embedded}

// all are the engines, and running are those that can run a step. Those that are
// no Docker engine are there once, with the first of these.
func (r rig) all() []Engine {
	if !r.others {
		return []Engine{dockerKind}
	}
	return []Engine{dockerKind, r.daemon, embeddedKind}
}

func (r rig) running() []Engine {
	if !r.others {
		return []Engine{dockerKind}
	}
	return []Engine{dockerKind, r.daemon}
}

// site is a project of which one engine builds images.
type site struct {
	*project
	progress *screen
	policy   string
	ask      func(*abi.DockerBuildRequest) // changes what is asked for, nil for nothing
}

// site has files in app/.
func (r rig) site(t *testing.T, e Engine, files map[string]string) site {
	t.Helper()
	below := map[string]string{}
	for name, text := range files {
		below["app/"+name] = text
	}
	s := site{project: newProject(t, below), progress: new(screen), policy: allowEach}
	s.Environ = append(s.Environ, "DOCKER_HOST="+r.host, "DOCKER_CONFIG="+r.config)
	s.Builds = Options{Engine: e, Mode: "plain", Progress: s.progress}
	return s
}

// outputs has the image written to out, as a file and as a directory.
func (s site) outputs(out string) {
	s.Builds.Outputs = []Output{{Path: filepath.Join(out, "image.tar")}, {Layout: true, Path: filepath.Join(out, "layout")}}
}

const allowEach = `version: 1
providers: {test: {build: {contexts: [app], tags: ['**'], bases: ['**'], push: true, outputs: ['**', '/**'], network: none, engines: [docker, buildkit, embedded, 'buildkit+tcp://*:*']}}}`

// build builds app.
func (s site) build(ctx context.Context, t *testing.T, tag string, push bool) abi.Reply {
	t.Helper()
	return s.begin(ctx, t, tag, push)()
}

// begin has all ready for a build, which the result does; it may be another
// goroutine's.
func (s site) begin(ctx context.Context, t *testing.T, tag string, push bool) func() abi.Reply {
	t.Helper()
	request := abi.DockerBuildRequest{Context: "app", Tags: []string{tag}, Push: push, Network: "none"}
	if s.ask != nil {
		s.ask(&request)
	}
	data, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	g := buildGate(t, s.project, s.policy, nil)
	return func() (reply abi.Reply) {
		// What is not a reply fails here too.
		_ = json.Unmarshal(g.Call(ctx, abi.OpDockerBuild, data), &reply)
		return reply
	}
}

// wantLine wants a failure of one line, which has all of these.
func (s site) wantLine(t *testing.T, reply abi.Reply, code abi.Code, words ...string) {
	t.Helper()
	if reply.Error == nil || reply.Error.Code != code || strings.Contains(reply.Error.Message, "\n") {
		t.Errorf("got %s %+v, want one line of %s\n%s", reply.OK, reply.Error, code, s.progress)
		return
	}
	t.Logf("%s: %s", code, reply.Error.Message)
	for _, word := range words {
		if !strings.Contains(reply.Error.Message, word) {
			t.Errorf("%q is without %q\n%s", reply.Error.Message, word, s.progress)
		}
	}
}

// screen is what a build shows, which tests read while it goes on.
type screen struct {
	mu    sync.Mutex
	text  strings.Builder
	waits []waiting
}

type waiting struct {
	text string
	came chan struct{}
}

// Write implements [io.Writer].
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	s.waits = slices.DeleteFunc(s.waits, func(w waiting) bool {
		came := strings.Contains(s.text.String(), w.text)
		if came {
			close(w.came)
		}
		return came
	})
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// naming finds where an image has got its name. BuildKit says how long that took
// where it took long.
func naming(tag string) *regexp.Regexp {
	tag = regexp.QuoteMeta(tag)
	return regexp.MustCompile(`naming to ` + tag + `(?: [0-9.]+s)? done|Successfully tagged ` + tag)
}

// withoutBuildKit wants the engine to say, where it has no BuildKit, that it is
// needed for something, and reports whether that was so.
func (r rig) withoutBuildKit(t *testing.T, s site, e Engine, reply abi.Reply, what string) bool {
	t.Helper()
	if e.Kind != Docker || r.about.BuildKit {
		return false
	}
	s.wantLine(t, reply, abi.CodeFailed, "this engine does not have BuildKit, which is required for "+what)
	return true
}

// comes is closed once a text is shown.
func (s *screen) comes(text string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	came := make(chan struct{})
	s.waits = append(s.waits, waiting{text, came})
	return came
}

// await waits for what comes.
func await[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(hosttest.Hangs):
		t.Fatalf("%s takes more than %v", what, hosttest.Hangs)
	}
	return v
}

// compileTool compiles a program for steps once for all tests.
var compileTool = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hostfuncs-test-tool")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tool")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "../internal/docker/testdata/tool")
	cmd.Env, cmd.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// withTool are files that have it.
func withTool(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	tool, err := compileTool()
	if err != nil {
		t.Fatal(err)
	}
	files["tool"] = string(tool)
	return files
}

// wantEmpty wants nothing to be left in a directory.
func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("left in %s: %v, %v", dir, entries, err)
	}
}

// ownTemp gives a test a directory for temporary files, which must be empty after
// what is done.
func ownTemp(t *testing.T) string {
	t.Helper()
	dir := imagetest.Dir(t)
	t.Setenv("TMPDIR", dir)
	return dir
}

// wantNobody wants no goroutine of a build to be left.
func wantNobody(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var left []string
	for end := time.Now().Add(hosttest.Hangs); time.Now().Before(end); {
		if left = builders(); len(left) == 0 {
			return
		}
		<-tick.C
	}
	t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
}

// builders are the goroutines that must do with builds, but for the tests'
// own.
func builders() (left []string) {
	buffer := make([]byte, 16<<20)
	stacks := strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n")
	for _, stack := range stacks[1:] {
		ours := strings.Contains(stack, "stagecraft/hostfuncs") || strings.Contains(stack, "moby/buildkit") || strings.Contains(stack, "google.golang.org/grpc")
		if ours && !strings.Contains(stack, "_test.go") && !strings.Contains(stack, "testing.tRunner") {
			left = append(left, stack)
		}
	}
	return left
}
