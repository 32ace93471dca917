// Package docker is the host's Docker engine: it finds the one that the user's
// environment names, builds images with it, and pushes them. Nothing else in
// the project talks to an engine.
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

// answerLimit is how long an engine may take to answer at first.
const answerLimit = 5 * time.Second

// Engine is a Docker engine that answered. Its methods may be called at once.
type Engine struct {
	// Credentials are the user's for registries, nil for none.
	Credentials *registry.Credentials

	client *client.Client
	at     endpoint
}

// Connect finds the engine as the docker command does, and asks it for a sign
// of life, for which it has 5 seconds. environ looks up the environment's
// variables. The engine is the one named by DOCKER_HOST, or else by the context
// in DOCKER_CONTEXT or in config.json's currentContext, or else the default
// socket. DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_API_VERSION and
// DOCKER_CONFIG mean what they mean there.
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

// Find finds the image that ref names, if the engine holds it.
func (e *Engine) Find(ctx context.Context, ref string) (found image.Identity, ok bool, err error) {
	told, err := e.client.ImageInspect(ctx, ref)
	switch {
	case err == nil:
		return held(told), true, nil
	case ctx.Err() != nil:
		return image.Identity{}, false, ctx.Err()
	case cerrdefs.IsNotFound(err):
		return image.Identity{}, false, nil
	}
	return image.Identity{}, false, fmt.Errorf("image %q: %w", ref, e.failure(err))
}

// held is by which digests an engine knows an image. One with containerd's image
// store reports the manifest or index, since version 28.0. Others report the
// configuration.
func held(told engineimage.InspectResponse) image.Identity {
	if told.Descriptor == nil {
		return image.Identity{Engine: told.ID, Config: told.ID}
	}
	return image.Identity{Engine: told.ID, Manifests: []string{told.Descriptor.Digest.String()}}
}

// newClient makes a client that has not connected yet. Only a TCP host sees the
// proxy that HTTP_PROXY and its like name.
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

// failure makes an error of the client one of ours.
func (e *Engine) failure(err error) error {
	if client.IsErrConnectionFailed(err) {
		return e.at.unavailable(err, advice(err))
	}
	return errors.New(engineText(err.Error()))
}

// broken is an answer that cannot be read to its end.
func (e *Engine) broken(err *streamError) error {
	if err.cut {
		return e.lost(err.err)
	}
	return fmt.Errorf("engine at %s: %w", e.at.host, err)
}

// lost is an engine that went away in the middle of an answer.
func (e *Engine) lost(err error) error {
	return e.at.unavailable(fmt.Errorf("the connection was lost: %w", err), advice(err))
}

// engineText is what an engine says, fit to be printed.
func engineText(s string) string {
	s = strings.TrimPrefix(s, "Error response from daemon: ")
	return strings.TrimSpace(termtext.Clean(s))
}

// Address is where the engine listens.
func (e *Engine) Address() string { return e.at.host }

// Hijack opens a stream to the engine, which is how its BuildKit is reached.
func (e *Engine) Hijack(ctx context.Context, address, protocol string, meta map[string][]string) (net.Conn, error) {
	return e.client.DialHijack(ctx, address, protocol, meta)
}

// Save gives images out, as `docker save` does. An engine that goes away while
// they are read is an [*UnavailableError].
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

// Load takes images in, as `docker load` does.
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
