package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/opencontainers/go-digest"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// fakeEngine notes what reaches an engine; the real one is tested where it is
// spoken to.
type fakeEngine struct {
	built  []job
	closed bool
	err    error
	tells  *image.Image // of what it built, nil for what is right
}

func (e *fakeEngine) Build(_ context.Context, j job) (image.Image, error) {
	e.built = append(e.built, j)
	if e.tells != nil {
		return *e.tells, nil
	}
	return image.Image{Identity: image.Identity{Config: digestLike("1"), Manifests: []string{digestLike("2")}}}, e.err
}

// digestLike is what an engine may call an image by.
func digestLike(text string) string { return digest.FromString(text).String() }

func (e *fakeEngine) Find(_ context.Context, ref string) (image.Identity, bool, error) {
	return image.Identity{Engine: digestLike(ref)}, ref != "missing:1", e.err
}

func (e *fakeEngine) Close() error { e.closed = true; return nil }

// connect replaces the real engines, nil for those.
type connect func(context.Context, Engine) (builder, error)

func buildGate(t *testing.T, p *project, policy string, connect connect) *hostfuncs.Gate {
	t.Helper()
	images := p.images()
	if connect != nil {
		images.connect = connect
	}
	return p.gate(t, policy, images)
}

const allowBuild = "version: 1\nproviders: {test: {build: {contexts: [app], tags: ['shop:*'], args: [V], push: true, outputs: ['**', '/**']}}}"

func TestDockerBuild(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch AS t"})
	e := new(fakeEngine)
	g := buildGate(t, p, allowBuild, func(context.Context, Engine) (builder, error) { return e, nil })
	got := hosttest.As[abi.DockerBuildResult](t, hosttest.Call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{
		Context: "./app/", Tags: []string{"shop:1", "shop:latest"}, Args: map[string]string{"V": "1"}, Target: "t", Network: "none", Push: true,
	}))
	if diff := cmp.Diff(abi.DockerBuildResult{Image: "shop:1", ID: digestLike("1"), Digest: digestLike("2"), Config: digestLike("1")}, got); diff != "" {
		t.Error(diff)
	}
	b := e.built[0]
	if b.Context != filepath.Join(p.Root, "app") || b.Dockerfile != filepath.Join(p.Root, "app", "Dockerfile") ||
		b.Target != "t" || b.Network != "none" || b.Args["V"] != "1" || !slices.Equal(b.Tags, []string{"shop:1", "shop:latest"}) {
		t.Errorf("built %+v", b)
	}
	if !b.push || string(b.Text) != "FROM scratch AS t" || !e.closed {
		t.Errorf("built %+v, closed %v", b, e.closed)
	}
}

// TestEngineNamesNoImage has engines tell what is no digest, which would go into
// files, statements and a provider.
func TestEngineNamesNoImage(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch"})
	for _, told := range []image.Identity{
		{Config: "shop:1"}, {Engine: digestLike("1") + "\n"}, {Config: digestLike("1"), Manifests: []string{"\x1b[2J"}},
		{Manifests: []string{digestLike("1"), "sha256:1"}},
	} {
		e := &fakeEngine{tells: &image.Image{Identity: told}}
		g := buildGate(t, p, allowBuild, func(context.Context, Engine) (builder, error) { return e, nil })
		reply := hosttest.Call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}})
		hosttest.WantError(t, reply, abi.CodeFailed, "which is not a digest")
	}
}

// TestBuildForTwoPlatforms has each of them want an image of its own.
func TestBuildForTwoPlatforms(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM base-$TARGETARCH"})
	g := buildGate(t, p, "version: 1\nproviders: {test: {build: {contexts: [app], tags: ['**'], bases: [base-amd64]}}}",
		func(context.Context, Engine) (builder, error) { return new(fakeEngine), nil })
	request := abi.DockerBuildRequest{Context: "app", Tags: []string{"t"}, Platforms: []string{"linux/amd64", "linux/arm64"}}
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpDockerBuild, request), abi.CodeDenied, "base-arm64")
}

func TestDockerBuildRefuses(t *testing.T) {
	hosttest.NeedUnix(t)
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch", "app/file": "", "app/dir/": ""})
	if err := os.Symlink("/etc", filepath.Join(p.Root, "etc")); err != nil {
		t.Fatal(err)
	}
	g := buildGate(t, p, "version: 1\nproviders: {test: {build: {contexts: ['**'], tags: ['**']}}}",
		func(context.Context, Engine) (builder, error) {
			t.Error("an engine was looked for")
			return nil, errors.New("none")
		})
	for name, tt := range map[string]struct {
		request abi.DockerBuildRequest
		code    abi.Code
		want    string
	}{
		"no tag":               {abi.DockerBuildRequest{Context: "app"}, abi.CodeInvalid, "at least one reference is required"},
		"wrong tag":            {abi.DockerBuildRequest{Context: "app", Tags: []string{"Shop"}}, abi.CodeInvalid, "Shop"},
		"wrong network":        {abi.DockerBuildRequest{Context: "app", Tags: []string{"a"}, Network: "bridge"}, abi.CodeInvalid, `unknown network "bridge"`},
		"context outside":      {abi.DockerBuildRequest{Context: "..", Tags: []string{"a"}}, abi.CodeInvalid, "leaves the project directory"},
		"context by a link":    {abi.DockerBuildRequest{Context: "etc", Tags: []string{"a"}}, abi.CodeInvalid, `the link "etc" leads to nothing in it`},
		"context missing":      {abi.DockerBuildRequest{Context: "x", Tags: []string{"a"}}, abi.CodeNotFound, `"x" does not exist`},
		"context a file":       {abi.DockerBuildRequest{Context: "app/file", Dockerfile: "app/Dockerfile", Tags: []string{"a"}}, abi.CodeInvalid, "is not a directory"},
		"Dockerfile missing":   {abi.DockerBuildRequest{Context: "app/dir", Tags: []string{"a"}}, abi.CodeNotFound, `there is no Dockerfile at "app/dir/Dockerfile"`},
		"Dockerfile outside":   {abi.DockerBuildRequest{Context: "app", Dockerfile: "/etc/passwd", Tags: []string{"a"}}, abi.CodeInvalid, "leaves the project directory"},
		"Dockerfile directory": {abi.DockerBuildRequest{Context: "app", Dockerfile: "app/dir", Tags: []string{"a"}}, abi.CodeInvalid, "is not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			hosttest.WantError(t, hosttest.Call(t, g, abi.OpDockerBuild, tt.request), tt.code, tt.want)
		})
	}
}

func TestEngineErrors(t *testing.T) {
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch"})
	request := abi.DockerBuildRequest{Context: "app", Tags: []string{"shop:1"}}
	down := func(context.Context, Engine) (builder, error) {
		return nil, &docker.UnavailableError{Host: "unix:///x", From: "DOCKER_HOST", Err: errors.New("gone"), Hint: "start it"}
	}
	hosttest.WantError(t, hosttest.Call(t, buildGate(t, p, allowBuild, down), abi.OpDockerBuild, request), abi.CodeUnavailable, "no Docker engine at unix:///x")
	failing := &fakeEngine{err: &image.Error{Step: "Step 2/3 : RUN make", Message: "exit code 2"}}
	g := buildGate(t, p, allowBuild, func(context.Context, Engine) (builder, error) { return failing, nil })
	hosttest.WantError(t, hosttest.Call(t, g, abi.OpDockerBuild, request), abi.CodeFailed, "RUN make")
	if !failing.closed {
		t.Error("the engine was not closed")
	}
}
