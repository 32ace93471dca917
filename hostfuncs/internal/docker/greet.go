package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/supported"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// UnavailableError means that no engine can be used.
type UnavailableError struct {
	Host string // the address that was tried; empty if unknown
	From string // its source: DOCKER_HOST, context "x" or the default
	Err  error  // the cause
	Hint string // what to do
	// TooOld means that the engine is older than the oldest supported version.
	TooOld bool
}

func (e *UnavailableError) Error() string {
	where := "from " + e.From
	if e.Host != "" {
		where = fmt.Sprintf("at %s (%s)", termtext.Line(e.Host, 200), where)
	}
	what := "no Docker engine"
	if e.TooOld {
		what = "cannot use the Docker engine"
	}
	return fmt.Sprintf("%s %s: %s; %s", what, where, termtext.Line(e.Err.Error(), 500), e.Hint)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// greet requires an answer of an engine, and negotiates the version.
func greet(ctx context.Context, c *client.Client, at endpoint, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := dial(limited, at)
	if err == nil {
		err = ping(limited, c)
	}
	switch {
	case err == nil:
		return wantSupported(c, at)
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("no answer within %v", limit)
	}
	return at.unavailable(err, advice(err))
}

func ping(ctx context.Context, c *client.Client) error {
	answer, err := c.Ping(ctx)
	if err != nil {
		return err
	}
	if answer.APIVersion == "" {
		return errors.New("the program that answers is not a Docker engine")
	}
	c.NegotiateAPIVersionPing(answer)
	return nil
}

// wantSupported requires a supported version, the engine's or the one in
// DOCKER_API_VERSION.
func wantSupported(c *client.Client, at endpoint) error {
	if !versions.LessThan(c.ClientVersion(), supported.EngineAPI) {
		return nil
	}
	return &UnavailableError{
		Host: at.host, From: at.from, TooOld: true,
		Err:  fmt.Errorf("expected version %s or later of its API (%s), got %s", supported.EngineAPI, supported.Engines, c.ClientVersion()),
		Hint: "update the engine, and unset DOCKER_API_VERSION where it names an older version",
	}
}

// dial tries a local socket. The client's own error would not say whether the socket is
// missing or forbidden.
func dial(ctx context.Context, at endpoint) error {
	path, ok := strings.CutPrefix(at.host, "unix://")
	if !ok {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return err
	}
	return conn.Close()
}

func advice(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "get access to its socket, for example by joining the group docker"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return "start Docker, or set DOCKER_HOST to an engine that runs"
	}
	return "check that the engine runs, or set DOCKER_HOST to one that does"
}
