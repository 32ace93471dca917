package docker

import (
	"context"
	"fmt"
	"net/http"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/client"
)

// isPodman asks the engine whether it is Podman's service, which speaks Docker's
// API and takes some of it in another way.
func (e *Engine) isPodman(ctx context.Context) (bool, error) {
	told, err := e.client.ServerVersion(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range told.Components {
		if c.Name == "Podman Engine" {
			return true, nil
		}
	}
	return false, nil
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
