package docker

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
)

const podmanEngine = "Podman Engine"

// isPodman asks the engine whether it is Podman's service, which speaks Docker's
// API and takes some of it in another way.
func (e *Engine) isPodman(ctx context.Context) (bool, error) {
	told, err := e.client.ServerVersion(ctx)
	return isPodman(told), err
}

func isPodman(told types.Version) bool {
	return slices.ContainsFunc(told.Components, func(c types.ComponentVersion) bool { return c.Name == podmanEngine })
}

// Describe names the engine and its version, such as Docker 29.1.0 (API 1.52).
func (e *Engine) Describe(ctx context.Context) (string, error) {
	told, err := e.client.ServerVersion(ctx)
	if err != nil {
		return "", e.failure(err)
	}
	name := "Docker"
	if isPodman(told) {
		name = "Podman"
	}
	return plaintext.Line(fmt.Sprintf("%s %s (API %s)", name, told.Version, told.APIVersion), 200), nil
}

// Podman's names for the network of a build's steps. Of Docker's it knows none:
// whatever is asked for, steps are in the host's network.
const (
	podmanNoNetwork  = "NetworkDisabled"
	podmanNamespaces = `[{"Name":"network","Host":false}]`
)

// builderFor is the client to build with, which asks Podman for the network that
// was decided on by Podman's own names.
func (e *Engine) builderFor(ctx context.Context, o *build.ImageBuildOptions) (*client.Client, error) {
	podman, err := e.isPodman(ctx)
	if err != nil || !podman {
		return e.client, err
	}
	switch o.NetworkMode {
	case "host":
		return e.client, nil
	case "none":
		o.NetworkMode = podmanNoNetwork
		return e.client, nil
	case "", "default":
		return e.withQuery("nsoptions", podmanNamespaces)
	}
	return nil, fmt.Errorf("network %q is not known to Podman", o.NetworkMode)
}

// withQuery is the engine's client with a parameter of which the client's options
// know nothing.
func (e *Engine) withQuery(name, value string) (*client.Client, error) {
	plain := e.client.HTTPClient()
	options := []client.Opt{
		client.WithHost(e.at.host),
		client.WithHTTPClient(&http.Client{Transport: withQuery{plain.Transport, name, value}, CheckRedirect: plain.CheckRedirect}),
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
	name, value string
}

func (q withQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	query := r.URL.Query()
	query.Set(q.name, q.value)
	r.URL.RawQuery = query.Encode()
	return q.RoundTripper.RoundTrip(r)
}
