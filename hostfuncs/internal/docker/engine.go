// Package docker finds the Docker engine that the user's environment names, builds
// images with it, and pushes them. It is the only package that uses an engine.
//
// It runs no program, so it cannot reach an engine through ssh.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	engineimage "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// answerLimit is how long an engine may take for its first answer.
const answerLimit = 5 * time.Second

// Engine is a Docker engine that answered. It is safe for concurrent use.
type Engine struct {
	// Credentials are the user's for registries, nil for none.
	Credentials *registry.Credentials

	client *client.Client
	at     endpoint
}

// Connect finds the engine as the docker command does, and requires an answer within 5
// seconds. environ looks up variables. DOCKER_HOST names the engine, else the context
// in DOCKER_CONTEXT or in currentContext of config.json, else it is the default socket.
// DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_API_VERSION and DOCKER_CONFIG have
// Docker's meaning.
//
// # Errors
//
// A [*UnavailableError], or ctx's error when it is done.
func Connect(ctx context.Context, environ func(string) string) (*Engine, error) {
	return connect(ctx, environ, answerLimit)
}

func connect(ctx context.Context, environ func(string) string, limit time.Duration) (*Engine, error) {
	at, err := findEndpoint(environ)
	if err != nil {
		return nil, err
	}
	c, err := newClient(at, environ("DOCKER_API_VERSION"))
	if err != nil {
		return nil, at.unavailable(err, "correct the address or its certificates")
	}
	if err := greet(ctx, c, at, limit); err != nil {
		c.Close()
		return nil, err
	}
	return &Engine{client: c, at: at}, nil
}

// Close releases the connections. A build or push that is under way goes on.
func (e *Engine) Close() error { return e.client.Close() }

// Find finds an image of the engine by a reference or digest.
func (e *Engine) Find(ctx context.Context, ref string) (_ image.Identity, ok bool, err error) {
	found, err := e.client.ImageInspect(ctx, ref)
	switch {
	case err == nil:
		return identityOf(found), true, nil
	case ctx.Err() != nil:
		return image.Identity{}, false, ctx.Err()
	case cerrdefs.IsNotFound(err):
		return image.Identity{}, false, nil
	}
	return image.Identity{}, false, fmt.Errorf("image %q: %w", ref, e.failure(err))
}

// identityOf returns the digests of an image. Engines with the containerd image store
// report the manifest or index, since version 28.0; others report the configuration.
func identityOf(found engineimage.InspectResponse) image.Identity {
	if found.Descriptor == nil {
		return image.Identity{Engine: found.ID, Config: found.ID}
	}
	return image.Identity{Engine: found.ID, Manifests: []string{found.Descriptor.Digest.String()}}
}

// newClient returns a client that is not connected yet. Only connections by TCP use the
// proxy of HTTP_PROXY and similar variables.
func newClient(at endpoint, version string) (*client.Client, error) {
	options := []client.Opt{}
	if at.tls != nil {
		if err := at.tls.check(); err != nil {
			return nil, err
		}
		config, err := tlsconfig.Client(tlsconfig.Options{
			CAFile:             at.tls.ca,
			CertFile:           at.tls.cert,
			KeyFile:            at.tls.key,
			InsecureSkipVerify: at.tls.skipVerify,
			ExclusiveRootPools: true,
		})
		if err != nil {
			return nil, err
		}
		options = append(options, client.WithHTTPClient(&http.Client{
			Transport:     &http.Transport{TLSClientConfig: config, DisableCompression: true},
			CheckRedirect: client.CheckRedirect,
		}))
	}
	return client.NewClientWithOpts(append(options,
		client.WithHost(at.host),
		client.WithVersion(version),
		client.WithAPIVersionNegotiation(),
		client.WithUserAgent("stagecraft"),
	)...)
}

// failure converts an error of the client.
func (e *Engine) failure(err error) error {
	if client.IsErrConnectionFailed(err) {
		return e.at.unavailable(err, advice(err))
	}
	return errors.New(engineText(err.Error()))
}

// broken returns the error of an incomplete answer.
func (e *Engine) broken(err *streamError) error {
	if err.cut {
		return e.lost(err.err)
	}
	return fmt.Errorf("engine at %s: %w", e.at.host, err)
}

// lost returns the error of a lost connection.
func (e *Engine) lost(err error) error {
	return e.at.unavailable(fmt.Errorf("the connection was lost: %w", err), advice(err))
}

// engineText makes an engine's message safe to print.
func engineText(s string) string {
	s = strings.TrimPrefix(s, "Error response from daemon: ")
	return strings.TrimSpace(termtext.Clean(s))
}

// Address is where the engine listens.
func (e *Engine) Address() string { return e.at.host }

// From is the setting that names the engine, such as DOCKER_HOST.
func (e *Engine) From() string { return e.at.from }

// Time is the time of the engine's machine.
func (e *Engine) Time(ctx context.Context) (time.Time, error) {
	info, err := e.client.Info(ctx)
	if err != nil {
		return time.Time{}, e.failure(err)
	}
	return time.Parse(time.RFC3339Nano, info.SystemTime)
}

// Hijack opens a stream to the engine, for its BuildKit.
func (e *Engine) Hijack(ctx context.Context, address, protocol string, meta map[string][]string) (net.Conn, error) {
	return e.client.DialHijack(ctx, address, protocol, meta)
}

// Save streams images as `docker save` does. If the connection is lost, Read returns an
// [*UnavailableError].
func (e *Engine) Save(ctx context.Context, refs []string) (io.ReadCloser, error) {
	archive, err := e.client.ImageSave(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("save: %w", e.failure(err))
	}
	return &saved{archive, ctx, e}, nil
}

type saved struct {
	io.ReadCloser
	ctx    context.Context
	engine *Engine
}

func (s *saved) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		if s.ctx.Err() != nil {
			return n, s.ctx.Err()
		}
		err = fmt.Errorf("save: %w", s.engine.lost(err))
	}
	return n, err
}

// Load loads images as `docker load` does.
func (e *Engine) Load(ctx context.Context, archive io.Reader) error {
	answer, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("load: %w", e.failure(err))
	}
	defer answer.Body.Close()
	err = readMessages(answer.Body, func(m message) error {
		if m.failed() {
			return fmt.Errorf("load: %s", engineText(m.failure()))
		}
		return nil
	})
	if broken, ok := errors.AsType[*streamError](err); ok && ctx.Err() == nil {
		return fmt.Errorf("load: %w", e.broken(broken))
	}
	return err
}
