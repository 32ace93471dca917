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
	for _, tt := range []struct{ one, other string }{
		{"ghcr.io/acme/shop:1", "acme/shop:1"}, {"localhost/node", "node"}, {"acme/node", "node"}, {"node:22", "node:latest"},
	} {
		if slices.Contains(spellings(tt.one), tt.other) {
			t.Errorf("%s is among the spellings of %s", tt.other, tt.one)
		}
	}
}
