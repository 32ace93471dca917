package buildkit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// TestIdentity has builders tell what those of their versions do.
func TestIdentity(t *testing.T) {
	config, manifest := "sha256:"+strings.Repeat("c", 64), "sha256:"+strings.Repeat("1", 64)
	const digestKey, configKey, descriptorKey = "containerimage.digest", "containerimage.config.digest", "containerimage.descriptor"
	for name, tt := range map[string]struct {
		named  map[string]string
		engine bool
		want   image.Identity
	}{
		"an engine of version 20.10":      {map[string]string{digestKey: config}, true, image.Identity{Config: config, Engine: config}},
		"an engine with its older store":  {map[string]string{digestKey: config, configKey: config}, true, image.Identity{Config: config, Engine: config}},
		"an engine with containerd's":     {map[string]string{digestKey: manifest, configKey: config, descriptorKey: "e30="}, true, image.Identity{Config: config, Engine: manifest, Manifests: []string{manifest}}},
		"the same, for several platforms": {map[string]string{digestKey: manifest, descriptorKey: "e30="}, true, image.Identity{Engine: manifest, Manifests: []string{manifest}}},
		"a daemon":                        {map[string]string{digestKey: manifest, configKey: config, descriptorKey: "e30="}, false, image.Identity{Config: config, Manifests: []string{manifest}}},
		"a daemon, for several platforms": {map[string]string{digestKey: manifest, descriptorKey: "e30="}, false, image.Identity{Manifests: []string{manifest}}},
		"a daemon that tells nothing":     {nil, false, image.Identity{}},
	} {
		if diff := cmp.Diff(tt.want, identity(tt.named, tt.engine)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}
