package providertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// EngineAbout is what an engine says of itself.
type EngineAbout struct {
	BuildKit   bool // it builds with BuildKit; otherwise by the classic build API alone
	Podman     bool
	Containerd bool // its images are in containerd's store
}

// About asks the engine, so that what a test expects depends on what the engine is
// and not on its name.
func (e Engine) About(t testing.TB) EngineAbout {
	t.Helper()
	var info struct {
		DriverStatus [][2]string
	}
	ping, err := e.get(t.Context(), "/_ping", nil)
	if err == nil {
		_, err = e.get(t.Context(), "/info", &info)
	}
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	about := EngineAbout{Podman: ping.Get("Libpod-Api-Version") != ""}
	// Docker names the builder that it prefers; before 23.0 it has both and says
	// nothing, unless its configuration does.
	builder := ping.Get("Builder-Version")
	about.BuildKit = builder == "2" || builder == "" && !about.Podman
	for _, status := range info.DriverStatus {
		about.Containerd = about.Containerd || status == [2]string{"driver-type", "io.containerd.snapshotter.v1"}
	}
	return about
}

// get asks an engine, in no version of its API, and returns the headers.
func (e Engine) get(ctx context.Context, path string, into any) (http.Header, error) {
	network, address, _ := strings.Cut(e.Host, "://")
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	if into != nil {
		err = json.NewDecoder(answer.Body).Decode(into)
	}
	return answer.Header, err
}
