package registry

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"github.com/distribution/reference"
)

// dockerHub is the name under which the docker command keeps the credentials
// for images without a registry in their name, as https://index.docker.io/v1/.
const dockerHub = "index.docker.io"

// hostForm matches a host with or without a port. Nothing else is sent to a helper,
// whose protocol uses lines.
var hostForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
})

// HostOf returns the registry of a reference, for [Credentials.Lookup].
func HostOf(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", ref, err)
	}
	return Canonical(reference.Domain(named)), nil
}

// Canonical returns the canonical name of a registry. Docker Hub's is the one for its
// credentials.
func Canonical(host string) string {
	host = strings.ToLower(host)
	switch host {
	case "docker.io", "registry-1.docker.io":
		return dockerHub
	}
	return host
}

// loopback reports whether a host, with or without a port, is the loopback by its name:
// others control what a name resolves to.
func loopback(host string) bool {
	name := hostname(host)
	if name == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}

// hostname returns a host without port and brackets, in lower case.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// sameHost reports whether two hosts are the same, with the scheme's default port.
func sameHost(a, b, scheme string) bool { return authority(a, scheme) == authority(b, scheme) }

func authority(host, scheme string) string {
	port := map[string]string{"https": "443", "http": "80"}[scheme]
	if _, written, err := net.SplitHostPort(host); err == nil && written != "" {
		port = written
	}
	return net.JoinHostPort(hostname(host), port)
}
