package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/dockerfile"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

const podmanEngine = "Podman Engine"

// isPodman reports whether the engine is Podman, which implements parts of Docker's API
// differently.
func (e *Engine) isPodman(ctx context.Context) (bool, error) {
	server, err := e.client.ServerVersion(ctx)
	return isPodman(server), err
}

func isPodman(server types.Version) bool {
	return slices.ContainsFunc(server.Components, func(c types.ComponentVersion) bool { return c.Name == podmanEngine })
}

// Describe names the engine and its version, such as Docker 29.1.0 (API 1.52).
func (e *Engine) Describe(ctx context.Context) (string, error) {
	server, err := e.client.ServerVersion(ctx)
	if err != nil {
		return "", e.failure(err)
	}
	name := "Docker"
	if isPodman(server) {
		name = "Podman"
	}
	return termtext.Line(fmt.Sprintf("%s %s (API %s)", name, server.Version, server.APIVersion), 200), nil
}

// Podman's names for the network of build steps. It ignores Docker's names: the steps
// would have the host's network.
const (
	podmanNoNetwork  = "NetworkDisabled"
	podmanNamespaces = `[{"Name":"network","Host":false}]`
)

// podmanBuilder returns the client for builds in Podman, with Podman's own parameters
// for the network, and for ignoring only the Dockerfile. Otherwise Podman reads ignore
// files of the context, some of which other engines do not know, and can lose files
// that an exception keeps.
func (e *Engine) podmanBuilder(o *build.ImageBuildOptions) (*client.Client, error) {
	ignored, err := json.Marshal([]string{o.Dockerfile})
	if err != nil {
		return nil, err
	}
	query := url.Values{"excludes": {string(ignored)}}
	switch o.NetworkMode {
	case "host":
	case "none":
		o.NetworkMode = podmanNoNetwork
	case "", "default":
		query.Set("nsoptions", podmanNamespaces)
	default:
		return nil, fmt.Errorf("Podman does not know the network %q", o.NetworkMode)
	}
	return e.withQuery(query)
}

// withQuery returns the engine's client with further parameters.
func (e *Engine) withQuery(query url.Values) (*client.Client, error) {
	plain := e.client.HTTPClient()
	options := []client.Opt{
		client.WithHost(e.at.host),
		client.WithHTTPClient(&http.Client{Transport: withQuery{plain.Transport, query}, CheckRedirect: plain.CheckRedirect}),
		client.WithVersion(e.client.ClientVersion()),
		client.WithUserAgent("stagecraft"),
	}
	if e.at.tls != nil {
		options = append(options, client.WithScheme("https"))
	}
	return client.NewClientWithOpts(options...)
}

type withQuery struct {
	http.RoundTripper
	more url.Values
}

func (q withQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	query := r.URL.Query()
	maps.Copy(query, q.more)
	r.URL.RawQuery = query.Encode()
	return q.RoundTripper.RoundTrip(r)
}

// CheckMisread refuses a Dockerfile if the engine reads it differently than it was
// decided on.
//
// # Errors
//
// An [*image.Error] with the line.
func (e *Engine) CheckMisread(ctx context.Context, m dockerfile.Misread) error {
	if m == (dockerfile.Misread{}) {
		return nil
	}
	server, err := e.client.ServerVersion(ctx)
	if err != nil {
		return e.failure(err)
	}
	if misread := misreads(server, m); misread != nil {
		return misread
	}
	return nil
}

// misreads returns the error of a line that an engine reads differently, nil for none.
// Docker 23.0 (API 1.42) and Podman 4.8 support here-documents. On Docker 24.0 (API
// 1.43) and later, the source policy allows only the images that were decided on.
func misreads(server types.Version, m dockerfile.Misread) *image.Error {
	podman := isPodman(server)
	before := func(docker string) bool { return !podman && versions.LessThan(server.APIVersion, docker) }
	const heredoc = "takes the lines of a here-document for instructions: expected "
	for _, is := range []struct {
		line int
		so   bool
		what string
	}{
		{m.Heredoc, before("1.42"), heredoc + "Docker 23.0 or later; update the engine, or write the lines to a file"},
		{m.Heredoc, podman && versions.LessThan(server.Version, "4.8"), heredoc + "Podman 4.8 or later; update the engine, or write the lines to a file"},
		{m.ArgAgain, before("1.43"), "forgets the value of an ARG that follows without one: expected Docker 24.0 or later; update the engine, or remove this ARG"},
		{m.StageAgain, podman, "takes the first of several stages with one name; give each stage a name of its own"},
		{m.StageCase, podman, "tells upper and lower case apart in the name of a stage; write it as the FROM of the stage does"},
	} {
		if is.line > 0 && is.so {
			return &image.Error{Line: is.line, Message: "this engine " + is.what}
		}
	}
	return nil
}
