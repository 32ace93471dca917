package hostfuncs

import (
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
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
	p.Builds = BuildOptions{Engine: daemon, Mode: "plain", Progress: new(strings.Builder), Platforms: []string{"linux/amd64", "linux/arm64"}}
	g := buildGate(t, p, "version: 1\nproviders: {test: {build: {contexts: [app], tags: ['**'], push: true}}}", connectEngine)
	built := as[abi.DockerBuildResult](t, call(t, g, abi.OpDockerBuild, abi.DockerBuildRequest{Context: "app", Tags: []string{tag}, Push: true}))
	if got := digestOf(t, tag); got != built.Digest || built.ID != built.Digest {
		t.Errorf("the registry has %s, built was %+v", got, built)
	}
}
