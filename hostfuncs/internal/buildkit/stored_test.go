package buildkit

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	controlapi "github.com/moby/buildkit/api/services/control"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

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

// control is a builder that says one thing of itself.
type control struct {
	controlapi.UnimplementedControlServer
	info error
}

func (control) ListWorkers(context.Context, *controlapi.ListWorkersRequest) (*controlapi.ListWorkersResponse, error) {
	return &controlapi.ListWorkersResponse{}, nil
}

func (c control) Info(context.Context, *controlapi.InfoRequest) (*controlapi.InfoResponse, error) {
	return &controlapi.InfoResponse{}, c.info
}

// TestTakesStored wants a builder that is gone told from one that is too old.
func TestTakesStored(t *testing.T) {
	for name, tt := range map[string]struct {
		info error
		want func(error) bool
	}{
		"new": {nil, func(err error) bool { return err == nil }},
		"old": {status.Error(codes.Unimplemented, "unknown method Info"), func(err error) bool {
			e, ok := errors.AsType[*image.Error](err)
			return ok && strings.Contains(e.Message, "too old")
		}},
		"gone": {status.Error(codes.Unavailable, "EOF"), func(err error) bool {
			e, ok := errors.AsType[*UnavailableError](err)
			return ok && e.Lost && strings.Contains(e.Error(), "EOF")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			listener, server := bufconn.Listen(1<<20), grpc.NewServer()
			controlapi.RegisterControlServer(server, control{info: tt.info})
			done := make(chan error)
			go func() { done <- server.Serve(listener) }()
			b, err := connectEngine(t.Context(), "here", func(ctx context.Context, _, _ string, _ map[string][]string) (net.Conn, error) {
				return listener.DialContext(ctx)
			}, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.takesStored(t.Context()); !tt.want(err) {
				t.Errorf("got %v", err)
			}
			ended, end := context.WithCancel(t.Context())
			end()
			if err := b.takesStored(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("after its end: %v", err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			server.Stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
