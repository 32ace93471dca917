// Package buildkit builds images with BuildKit, in a Docker engine or as a daemon. It is
// the only package that uses BuildKit's client.
package buildkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/supported"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// answerLimit is how long a builder may take for its first answer.
const answerLimit = 5 * time.Second

// Hijack opens a stream to a Docker engine, by a path and a protocol of its HTTP API.
type Hijack func(ctx context.Context, address, protocol string, meta map[string][]string) (net.Conn, error)

// Builder is a BuildKit that answered. It is safe for concurrent use.
type Builder struct {
	client *client.Client
	// engine means that it is part of a Docker engine, which keeps its images.
	engine bool
	// old means that it is older than version 0.11.
	old     bool
	at      string
	version string
}

// InEngine connects to the BuildKit of a Docker engine, which has one since version
// 18.09.
//
// # Errors
//
// An [*UnavailableError], also for an engine without BuildKit, or ctx's error once it is
// done.
func InEngine(ctx context.Context, address string, hijack Hijack) (*Builder, error) {
	return connectEngine(ctx, address, hijack, answerLimit)
}

func connectEngine(ctx context.Context, address string, hijack Hijack, limit time.Duration) (*Builder, error) {
	c, err := client.New(ctx, "",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return hijack(ctx, "/grpc", "h2c", nil)
		}),
		client.WithSessionDialer(func(ctx context.Context, protocol string, meta map[string][]string) (net.Conn, error) {
			c, err := hijack(ctx, "/session", protocol, meta)
			if err != nil {
				return nil, err
			}
			return gather(c), nil
		}),
	)
	if err != nil {
		return nil, err
	}
	return greet(ctx, &Builder{client: c, engine: true, at: address}, limit)
}

// TLS are the files for mutual TLS; a daemon at tcp:// needs all.
type TLS struct{ CA, Cert, Key string }

// Dial connects to a daemon at tcp://HOST:PORT or unix://PATH, which must answer within
// 5 seconds.
//
// # Errors
//
// An [*UnavailableError], or ctx's error once it is done.
func Dial(ctx context.Context, address string, tls TLS) (*Builder, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, &UnavailableError{At: address, Err: errors.New("not an address")}
	}
	var options []client.ClientOpt
	if tls != (TLS{}) {
		if err := tls.check(); err != nil {
			return nil, &UnavailableError{At: address, Err: fmt.Errorf("the certificates in %s: %w", filepath.Dir(tls.CA), err)}
		}
		options = append(options, client.WithServerConfig(at.Hostname(), tls.CA), client.WithCredentials(tls.Cert, tls.Key))
	}
	c, err := client.New(ctx, address, options...)
	if err != nil {
		if tls != (TLS{}) {
			err = fmt.Errorf("the certificates in %s: %w", filepath.Dir(tls.CA), err)
		}
		return nil, &UnavailableError{At: address, Err: err}
	}
	b, err := greet(ctx, &Builder{client: c, at: address}, answerLimit)
	if e, ok := errors.AsType[*UnavailableError](err); ok && at.Scheme == "tcp" {
		e.Err = tls.advise(e.Err)
	}
	return b, err
}

// check rejects what is not a file: reading a pipe would block.
func (t TLS) check() error {
	for _, file := range []string{t.CA, t.Cert, t.Key} {
		if err := safefile.Check(file); err != nil {
			return err
		}
	}
	return nil
}

// advise adds advice to the error of a daemon that refuses the connection. With TLS 1.3 a
// daemon that rejects our certificate may close the connection without a reason.
func (t TLS) advise(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "dial tcp"):
		return err
	case t == (TLS{}):
		return fmt.Errorf("%w; it may require certificates: give their directory with --engine-certs", err)
	case strings.Contains(text, "failed to verify certificate"):
		return fmt.Errorf("%w; its certificate must be for its address and signed by %s", err, t.CA)
	}
	return fmt.Errorf("%w; check that it accepts the certificate %s", err, t.Cert)
}

// greet asks for the version, which is cheap: for a list of its workers, a builder looks
// for emulators.
func greet(ctx context.Context, b *Builder, limit time.Duration) (*Builder, error) {
	asking, stop := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer stop()
	info, err := b.client.Info(asking)
	b.old = withoutInfo(err)
	if err == nil {
		b.version = termtext.Line(info.BuildkitVersion.Version, 100)
	}
	if err == nil || b.old && b.engine {
		return b, nil
	}
	b.client.Close()
	if b.old {
		return nil, &UnavailableError{At: b.at, TooOld: true, Err: fmt.Errorf("expected version %s or later, got an older one; update the daemon", supported.BuildKit)}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case asking.Err() != nil:
		return nil, &UnavailableError{At: b.at, Slow: true, Err: context.Cause(asking)}
	}
	return nil, &UnavailableError{At: b.at, Err: reason(err)}
}

// withoutInfo reports whether an error is that of a BuildKit before 0.11, which does not
// have this method. Other servers, such as a web server, do not have the service.
func withoutInfo(err error) bool {
	return grpcerrors.Code(err) == codes.Unimplemented && strings.Contains(err.Error(), "unknown method Info")
}

// Platform returns the builder's platform, such as linux/amd64, as the frontend sees it.
// It may take long, because the builder looks for emulators.
func (b *Builder) Platform(ctx context.Context) (string, error) {
	workers, err := b.client.ListWorkers(ctx)
	if err != nil {
		return "", &UnavailableError{At: b.at, Err: reason(err)}
	}
	if len(workers) == 0 || len(workers[0].Platforms) == 0 {
		return "", fmt.Errorf("the BuildKit at %s does not report a platform", b.at)
	}
	return platforms.FormatAll(platforms.Normalize(workers[0].Platforms[0])), nil
}

// Version is the builder's version, or which one it is older than.
func (b *Builder) Version() string {
	if b.old {
		return "older than " + supported.BuildKit
	}
	return b.version
}

// Close releases the connection. A build that is under way goes on.
func (b *Builder) Close() error { return b.client.Close() }

// UnavailableError means that no BuildKit can be used at an address.
type UnavailableError struct {
	At   string
	Lost bool // the connection was lost during a build
	Slow bool // it did not answer in time
	// TooOld means that it is older than the oldest supported version.
	TooOld bool
	Err    error
}

func (e *UnavailableError) Error() string {
	if e.Lost {
		return fmt.Sprintf("lost the connection to the BuildKit at %s during the build: %v", e.At, e.Err)
	}
	if e.TooOld {
		return fmt.Sprintf("cannot use the BuildKit at %s: %v", e.At, e.Err)
	}
	return fmt.Sprintf("no BuildKit at %s: %v", e.At, e.Err)
}

// Unwrap gives the reason.
func (e *UnavailableError) Unwrap() error { return e.Err }
