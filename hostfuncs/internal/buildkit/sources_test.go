package buildkit

import (
	"io"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/sourcepolicy"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestSourcePolicyOfRepositories asks BuildKit's own engine for source policies
// about repositories of which one was decided on.
func TestSourcePolicyOfRepositories(t *testing.T) {
	engine := sourcepolicy.NewEngine([]*spb.Policy{sourcePolicy(image.Build{
		Bases: []string{}, Remotes: []string{"https://acme.dev/r.git#main:a"},
	})})
	for _, tt := range []struct {
		url, ref, directory string
		allowed             bool
	}{
		{"https://acme.dev/r.git", "main", "a", true},
		{"ssh://git@acme.dev/r.git", "v1..v2", "a..b/..c/d..", true},
		{"https://acme.dev/other.git", "main", "a", false},
		{"https://acme.dev/r.git", "main", "..", false},
		{"https://acme.dev/r.git", "main", "../../x", false},
		{"https://acme.dev/r.git", "", "a/../../x", false},
		{"https://acme.dev/r.git", "main", `a\..\x`, false},
		{"https://acme.dev/r.git", "a/../..", "", false},
	} {
		_, err := engine.Evaluate(t.Context(), gitSource(t, tt.url, tt.ref, tt.directory))
		if (err == nil) != tt.allowed {
			t.Errorf("%s, ref %q, directory %q: %v", tt.url, tt.ref, tt.directory, err)
		}
	}
}

// gitSource is what BuildKit asks its policies about. The directory goes there as
// a query has it.
func gitSource(t *testing.T, url, ref, directory string) *pb.SourceOp {
	t.Helper()
	options := []llb.GitOption{llb.KnownSSHHosts("none")}
	if directory != "" {
		options = append(options, llb.GitSubDir(directory))
	}
	definition, err := llb.Git(url, ref, options...).Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range definition.Def {
		var op pb.Op
		if err := op.Unmarshal(raw); err != nil {
			t.Fatal(err)
		}
		if source := op.GetSource(); source != nil {
			return source
		}
	}
	t.Fatal("there is no source")
	return nil
}

// TestLayoutIsOnlyRead wants a builder to be given blobs of a layout, and nothing
// else of it, whatever it asks for.
func TestLayoutIsOnlyRead(t *testing.T) {
	dir, is := imagetest.Dir(t), digest.FromString("blob")
	imagetest.Write(t, dir, map[string]string{"blobs/sha256/" + is.Encoded(): "blob", "secret": "x"})
	var s content.Store = layoutStore{image.Stored{Dir: dir}}
	info, err := s.Info(t.Context(), is)
	if err != nil || info.Size != 4 {
		t.Errorf("got %+v, %v", info, err)
	}
	r, err := s.ReaderAt(t.Context(), ocispec.Descriptor{Digest: is})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err != nil || string(text) != "blob" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for _, of := range []digest.Digest{"", "sha256:../../secret", "../secret", digest.FromString("none"), "sha512:" + digest.Digest(is.Encoded()+is.Encoded())} {
		if _, err := s.ReaderAt(t.Context(), ocispec.Descriptor{Digest: of}); !errdefs.IsNotFound(err) {
			t.Errorf("%q: got %v", of, err)
		}
	}
	_, update := s.Update(t.Context(), content.Info{Digest: is})
	_, status := s.Status(t.Context(), "x")
	_, list := s.ListStatuses(t.Context())
	_, write := s.Writer(t.Context(), content.WithRef("x"))
	for name, err := range map[string]error{
		"update": update, "status": status, "list": list, "write": write,
		"walk":   s.Walk(t.Context(), func(content.Info) error { return nil }),
		"delete": s.Delete(t.Context(), is), "abort": s.Abort(t.Context(), "x"),
	} {
		if !errdefs.IsPermissionDenied(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
