package capability

import (
	"slices"
	"testing"
)

// TestSpellings wants each way to write a reference to be among those of each
// other way.
func TestSpellings(t *testing.T) {
	for _, same := range [][]string{
		{"node:22", "library/node:22", "docker.io/node:22", "docker.io/library/node:22", "index.docker.io/library/node:22"},
		{"node", "node:latest", "docker.io/library/node", "index.docker.io/node:latest"},
		{"acme/shop:1", "docker.io/acme/shop:1", "index.docker.io/acme/shop:1"},
		{"ghcr.io/acme/shop", "ghcr.io/acme/shop:latest"},
		{"node:22@sha256:1", "docker.io/library/node:22@sha256:1", "index.docker.io/node:22@sha256:1"},
		{"localhost/shop", "localhost/shop:latest"},
		{"127.0.0.1:5000/shop", "127.0.0.1:5000/shop:latest"},
	} {
		for _, one := range same {
			for _, other := range same {
				if !slices.Contains(spellings(one), other) {
					t.Errorf("%s is not among the spellings of %s: %v", other, one, spellings(one))
				}
			}
		}
	}
	for one, others := range map[string][]string{
		"ghcr.io/a/b:1@sha256:1":               {"ghcr.io/a/b:1", "ghcr.io/a/b@sha256:1"},
		"node:latest@sha256:1":                 {"node", "library/node@sha256:1"},
		"GHCR.io:443/a/b:1":                    {"ghcr.io/a/b:1"},
		"registry-1.docker.io/library/node:22": {"node:22"},
		"registry.hub.docker.com/acme/x:1":     {"acme/x:1"},
	} {
		for _, other := range others {
			if !slices.Contains(spellings(one), other) {
				t.Errorf("%s is not among the spellings of %s: %v", other, one, spellings(one))
			}
		}
	}
	for _, tt := range []struct{ one, other string }{
		{"node@sha256:1", "node"}, {"node@sha256:1", "node:latest"},
		{"ghcr.io/acme/shop:1", "acme/shop:1"}, {"localhost/node", "node"}, {"acme/node", "node"}, {"node:22", "node:latest"},
	} {
		if slices.Contains(spellings(tt.one), tt.other) {
			t.Errorf("%s is among the spellings of %s", tt.other, tt.one)
		}
	}
}
