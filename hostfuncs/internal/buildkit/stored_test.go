package buildkit

import (
	"io"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

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
