package build

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// builder builds images with one engine.
type builder interface {
	// Build builds an image, and writes, loads and pushes it as the job says. An
	// output has its image only if all of the build worked.
	//
	// The error is an *image.Error if the engine refuses the build or a step
	// fails, an UnavailableError of the engine's package if it is out of reach,
	// and ctx's once that is done, when the current step is ended.
	Build(ctx context.Context, j job) (image.Image, error)
	// Close closes the connection.
	Close() error
}

// job is an image to build, and where it goes.
type job struct {
	image.Build
	push, load bool
	outputs    []Output
	// cacheKey names what was sent of the context before, see [buildkit.Options].
	cacheKey string
	progress buildkit.Progress
}

// finder finds images that an engine has.
type finder interface {
	Find(ctx context.Context, ref string) (found image.Identity, ok bool, err error)
	Close() error
}

// engines connects to the builders.
type engines struct {
	getenv      func(string) string
	credentials *registry.Credentials
	// describe gets a line about the Docker engine that builds, nil for none.
	describe func(string)
}

// engineError gives an engine's errors their codes.
func engineError(err error) error {
	if e, ok := errors.AsType[*docker.UnavailableError](err); ok {
		return abi.Errorf(abi.CodeUnavailable, "%v", e)
	}
	if e, ok := errors.AsType[*buildkit.UnavailableError](err); ok {
		return abi.Errorf(abi.CodeUnavailable, "%v", e)
	}
	if e, ok := errors.AsType[*image.Error](err); ok {
		return abi.Errorf(abi.CodeFailed, "%v", e)
	}
	return err
}

func (e engines) connect(ctx context.Context, which Engine) (builder, error) {
	switch which.Kind {
	case BuildKit:
		return e.daemon(ctx, which)
	case Embedded:
		return embeddedBuilder{e}, nil
	}
	return e.docker(ctx)
}

func (e engines) docker(ctx context.Context) (*dockerEngine, error) {
	found, err := docker.Connect(ctx, e.getenv)
	if err != nil {
		return nil, err
	}
	found.Credentials = e.credentials
	return &dockerEngine{found, e.describe}, nil
}

func (e engines) daemon(ctx context.Context, which Engine) (*daemon, error) {
	var tls buildkit.TLS
	if which.Certs != "" {
		tls = buildkit.TLS{
			CA: filepath.Join(which.Certs, "ca.pem"), Cert: filepath.Join(which.Certs, "cert.pem"), Key: filepath.Join(which.Certs, "key.pem"),
		}
	}
	b, err := buildkit.Dial(ctx, which.Address, tls)
	if err != nil {
		return nil, err
	}
	return &daemon{b, e, which.Certs != ""}, nil
}

// located is an engine with the address that the user's environment has for it.
func (e engines) located(which Engine) Engine {
	if which.Kind == Docker {
		which.Address = docker.Address(e.getenv)
	}
	return which
}

// claimedAddress is the engine's address as a claim has it, empty for a socket of
// this machine.
func (e Engine) claimedAddress() string {
	at, err := url.Parse(e.Address)
	if e.Address == "" || err == nil && (at.Scheme == "unix" || at.Scheme == "npipe") {
		return ""
	}
	if err != nil || at.Host == "" {
		// No rule allows an address that cannot be read.
		return e.Address
	}
	if at.Scheme == "http" || at.Scheme == "https" {
		at.Scheme = "tcp"
	}
	return at.Scheme + "://" + strings.ToLower(at.Host)
}

// autoLimit is how long a Docker engine must answer before another builder is
// considered.
const autoLimit = time.Second

// choose is for a user who leaves the choice open: a Docker engine if it answers,
// or else the embedded builder, unless notEmbedded says why that cannot build.
// If none can build, the Docker engine is decided on and unbuilt says why.
func (e engines) choose(ctx context.Context, notEmbedded error) (chosen Engine, unbuilt error) {
	chosen = e.located(Engine{Kind: Docker})
	asking, stop := context.WithTimeoutCause(ctx, autoLimit, errors.New("no answer within a second"))
	defer stop()
	found, err := e.docker(asking)
	if err == nil {
		found.Close()
		return chosen, nil
	}
	if ctx.Err() != nil {
		return chosen, nil
	}
	if e, ok := errors.AsType[*docker.UnavailableError](err); ok && e.TooOld {
		return chosen, abi.Errorf(abi.CodeUnavailable, "%v", err)
	}
	if notEmbedded == nil {
		return Engine{Kind: Embedded}, nil
	}
	if cause := context.Cause(asking); cause != nil {
		err = cause
	}
	return chosen, abi.Errorf(abi.CodeUnavailable, "%v; without an engine: %v", err, notEmbedded)
}

// platformLimit is how long an engine must report its platform: it looks for
// emulators first.
const platformLimit = 30 * time.Second

// platform asks an engine for the platform that it builds on, such as linux/amd64.
func (e engines) platform(ctx context.Context, which Engine) (string, error) {
	ctx, stop := context.WithTimeoutCause(ctx, platformLimit, fmt.Errorf("it did not report its platform within %v", platformLimit))
	defer stop()
	if which.Kind == BuildKit {
		d, err := e.daemon(ctx, which)
		if err != nil {
			return "", err
		}
		defer d.Close()
		return d.Platform(ctx)
	}
	d, err := e.docker(ctx)
	if err != nil {
		return "", err
	}
	defer d.Close()
	return d.platform(ctx)
}
