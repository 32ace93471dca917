package embedded

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	docker "github.com/docker/docker/client"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"

	ours "github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// buildKit is the one of an engine for tests.
type buildKit struct {
	engine *docker.Client
	client *client.Client
	base   Base
}

func newBuildKit(t testing.TB, host string) *buildKit {
	t.Helper()
	engine, err := docker.NewClientWithOpts(docker.WithHost(host), docker.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	c, err := client.New(t.Context(), "",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return engine.DialHijack(ctx, "/grpc", "h2c", nil)
		}),
		client.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return engine.DialHijack(ctx, "/session", proto, meta)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	e := &buildKit{engine: engine, client: c}
	e.makeBase(t)
	return e
}

const baseTag = "stagecraft.test/base:1"

// makeBase makes an image with what a base image may have: users, links that
// lead elsewhere, modes and owners, and settings.
func (e *buildKit) makeBase(t testing.TB) {
	t.Helper()
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644, Linkname: "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"},
		{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644, Linkname: "root:x:0:\nstaff:x:50:\n"},
		{Typeflag: tar.TypeDir, Name: "usr/", Mode: 0o755},
		{Typeflag: tar.TypeDir, Name: "usr/bin/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "usr/bin/tool", Mode: 0o4755, Linkname: "tool"},
		{Typeflag: tar.TypeLink, Name: "usr/bin/tool2", Mode: 0o4755, Linkname: "usr/bin/tool"},
		{Typeflag: tar.TypeSymlink, Name: "bin", Linkname: "usr/bin"},
		{Typeflag: tar.TypeDir, Name: "data/", Mode: 0o770, Uid: 1000, Gid: 50},
		{Typeflag: tar.TypeReg, Name: "data/a.txt", Mode: 0o600, Uid: 1000, Gid: 50, Linkname: "a"},
		{Typeflag: tar.TypeReg, Name: "data/b.log", Mode: 0o600, Uid: 1000, Gid: 50, Linkname: "b"},
		{Typeflag: tar.TypeSymlink, Name: "absolute", Linkname: "/data"},
		{Typeflag: tar.TypeSymlink, Name: "outside", Linkname: "../../../data"},
		{Typeflag: tar.TypeSymlink, Name: "dangling", Linkname: "/made/by/link"},
		{Typeflag: tar.TypeSymlink, Name: "data/link", Linkname: "a.txt"},
		{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777},
	} {
		text := ""
		if h.Typeflag == tar.TypeReg {
			text, h.Linkname = h.Linkname, ""
			h.Size = int64(len(text))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer, err := e.engine.ImageImport(t.Context(), image.ImportSource{Source: &files, SourceName: "-"}, baseTag, image.ImportOptions{
		Changes: []string{
			"ENV FROM_BASE=1 BOTH=base", `CMD ["base"]`, "WORKDIR /data", "LABEL base=1 both=base", "EXPOSE 1", "USER app",
			"VOLUME /base", "HEALTHCHECK CMD base",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer); err != nil {
		t.Fatal(err)
	}
	answer.Close()
	file := filepath.Join(t.TempDir(), "base.tar")
	e.save(t, baseTag, file)
	found, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	e.base = func(context.Context, string, v1.Platform) (Found, error) { return Found{Image: found}, nil }
}

func (e *buildKit) save(t testing.TB, tag, file string) {
	t.Helper()
	r, err := e.engine.ImageSave(t.Context(), []string{tag})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
}

// build builds with BuildKit.
func (e *buildKit) build(t *testing.T, b ours.Build) saved {
	t.Helper()
	const tag = "stagecraft.test/conformance:1"
	e.solve(t, b, tag)
	file := filepath.Join(t.TempDir(), "theirs.tar")
	e.save(t, tag, file)
	r, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return readSaved(t, r)
}

func (e *buildKit) solve(t testing.TB, b ours.Build, tag string) {
	t.Helper()
	files, err := fsutil.NewFS(b.Context)
	if err != nil {
		t.Fatal(err)
	}
	attrs := map[string]string{"target": b.Target}
	for name, value := range b.Args {
		attrs["build-arg:"+name] = value
	}
	status := make(chan *client.SolveStatus)
	var log []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range status {
			for _, l := range s.Logs {
				log = append(log, string(l.Data))
			}
			for _, v := range s.Vertexes {
				log = append(log, v.Name+" "+v.Error)
			}
		}
	}()
	_, err = e.client.Solve(t.Context(), nil, client.SolveOpt{
		Frontend: "dockerfile.v0", FrontendAttrs: attrs,
		LocalMounts: map[string]fsutil.FS{"context": files, "dockerfile": files},
		Exports:     []client.ExportEntry{{Type: "moby", Attrs: map[string]string{"name": tag}}},
	}, status)
	<-done
	if err != nil {
		t.Fatalf("BuildKit: %v\n%s", err, strings.Join(slices.Compact(log), "\n"))
	}
}
