package build

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestPushPlatforms pushes an image for two platforms from a daemon, and wants
// to hear the digest that the registry has for both of them.
func TestPushPlatforms(t *testing.T) {
	daemon, err := ParseEngine("buildkit+"+providertest.BuildKit(t), "")
	if err != nil {
		t.Fatal(err)
	}
	tag := providertest.Registry(t, "") + "/shop:1"
	p := newProject(t, map[string]string{"app/Dockerfile": "FROM scratch\nCOPY file /\n", "app/file": "in it"})
	p.Environ = append(p.Environ, "DOCKER_CONFIG="+t.TempDir())
	p.Builds = Options{Engine: daemon, Mode: "plain", Progress: new(strings.Builder), Platforms: []string{"linux/amd64", "linux/arm64"}}
	g := buildGate(t, p, "version: 1\nproviders: {test: {build: {contexts: [app], tags: ['**'], push: true}}}", nil)
	built := hosttest.As[abi.DockerBuildResult](t, hosttest.Call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{tag}, Push: true}))
	if got := digestOf(t, tag); got != built.Digest || built.ID != built.Digest {
		t.Errorf("the registry has %s, built was %+v", got, built)
	}
}

// TestLayoutOfPlatforms writes an image for two platforms to a layout, from a
// daemon and from an engine with containerd's image store: it is known by its
// index, which has a configuration for each.
func TestLayoutOfPlatforms(t *testing.T) { eachRig(t, testLayoutOfPlatforms) }

func testLayoutOfPlatforms(t *testing.T, r rig) {
	for _, engine := range r.running() {
		if engine.Kind == Docker && !r.about.Containerd {
			continue
		}
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "for two"})
			s.Builds.Platforms = []string{"linux/amd64", "linux/arm64"}
			dir := filepath.Join(imagetest.Dir(t), "layout")
			s.Builds.Outputs = []Output{{Layout: true, Path: dir}}
			built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:two-platforms", false))
			var index struct {
				Manifests []struct{ MediaType, Digest string }
			}
			readJSON(t, filepath.Join(dir, "index.json"), &index)
			if len(index.Manifests) != 1 || index.Manifests[0].Digest != built.Digest || index.Manifests[0].MediaType != "application/vnd.oci.image.index.v1+json" {
				t.Errorf("the layout has %+v, built was %+v", index, built)
			}
			if built.ID != built.Digest || built.Config != "" || len(built.OtherDigests) > 0 {
				t.Errorf("built was %+v", built)
			}
			wantReadable(t, dir)
			if engine.Kind == Docker {
				wantStored(t, s, built)
			}
		})
	}
}
