package buildkit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	controlapi "github.com/moby/buildkit/api/services/control"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// control is a builder that says one thing of itself.
type control struct {
	controlapi.UnimplementedControlServer
	err error
}

func (c control) Info(context.Context, *controlapi.InfoRequest) (*controlapi.InfoResponse, error) {
	return &controlapi.InfoResponse{}, c.err
}

// TestGreet: an old BuildKit, a new one and something else are distinguished.
func TestGreet(t *testing.T) {
	none := func(err error) bool {
		_, ok := errors.AsType[*UnavailableError](err)
		return ok
	}
	known := func(err error) bool { return err == nil }
	before := controlapi.Control_ServiceDesc
	before.Methods = slices.DeleteFunc(slices.Clone(before.Methods), func(m grpc.MethodDesc) bool { return m.MethodName == "Info" })
	for name, tt := range map[string]struct {
		serve func(*grpc.Server)
		want  func(error) bool
		old   bool
	}{
		"new":         {func(s *grpc.Server) { controlapi.RegisterControlServer(s, control{}) }, known, false},
		"old":         {func(s *grpc.Server) { s.RegisterService(&before, control{}) }, known, true},
		"another one": {func(*grpc.Server) {}, none, false},
		"one that fails": {func(s *grpc.Server) {
			controlapi.RegisterControlServer(s, control{err: status.Error(codes.Unavailable, "EOF")})
		}, none, false},
	} {
		t.Run(name, func(t *testing.T) {
			listener, server := bufconn.Listen(1<<20), grpc.NewServer()
			tt.serve(server)
			done := make(chan error)
			go func() { done <- server.Serve(listener) }()
			b, err := connectTo(t.Context(), listener)
			if !tt.want(err) {
				t.Errorf("got %v", err)
			}
			if err == nil {
				e, ok := errors.AsType[*image.Error](b.takesStored())
				if ok != tt.old || ok && !strings.Contains(e.Message, "too old") {
					t.Errorf("as for layouts: %v", e)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			}
			server.Stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a web server", func(t *testing.T) {
		listener := bufconn.Listen(1 << 20)
		server := &http.Server{Handler: http.NotFoundHandler(), Protocols: new(http.Protocols)}
		server.Protocols.SetUnencryptedHTTP2(true)
		done := make(chan error)
		go func() { done <- server.Serve(listener) }()
		if _, err := connectTo(t.Context(), listener); !none(err) || !strings.Contains(err.Error(), "404") {
			t.Errorf("got %v", err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// TestDialAnOldDaemon refuses a daemon below the least version, where an engine's
// own BuildKit may be older.
func TestDialAnOldDaemon(t *testing.T) {
	before := controlapi.Control_ServiceDesc
	before.Methods = slices.DeleteFunc(slices.Clone(before.Methods), func(m grpc.MethodDesc) bool { return m.MethodName == "Info" })
	path := filepath.Join(imagetest.ShortDir(t), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	server.RegisterService(&before, control{})
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	_, err = Dial(t.Context(), "unix://"+path, TLS{})
	if old, ok := errors.AsType[*UnavailableError](err); !ok || !old.TooOld || err.Error() != "cannot use the BuildKit at unix://"+path+": expected version 0.11 or later, got an older one; update the daemon" {
		t.Errorf("got %v", err)
	}
	server.Stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func connectTo(ctx context.Context, listener *bufconn.Listener) (*Builder, error) {
	return connectEngine(ctx, "here", func(ctx context.Context, _, _ string, _ map[string][]string) (net.Conn, error) {
		return listener.DialContext(ctx)
	}, time.Hour)
}
