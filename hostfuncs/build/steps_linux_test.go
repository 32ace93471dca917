package build

import (
	"archive/tar"
	"io"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestHostSteps has a step say that it is in the host's network, which the
// request does not: a policy decides, and what it allows the builder does.
func TestHostSteps(t *testing.T) { eachRig(t, testHostSteps) }

func testHostSteps(t *testing.T, r rig) {
	for _, e := range r.running() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s := r.site(t, e, withTool(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool /tool\nRUN --network=host [\"/tool\", \"links\"]\n"}))
			s.ask = func(q *abi.DockerBuildRequest) { q.Network = "" }
			for _, network := range []string{"none", "default"} {
				s.policy = strings.Replace(allowEach, "network: none", "network: "+network, 1)
				s.wantLine(t, s.build(t.Context(), t, "shop:steps", false), abi.CodeDenied)
			}
			s.policy = strings.Replace(allowEach, "network: none", "network: host", 1)
			reply := s.build(t.Context(), t, "shop:steps", false)
			if reply.Error != nil && (strings.Contains(reply.Error.Message, "Unknown flag: network") || strings.Contains(reply.Error.Message, "RUN only supports the --mount flag")) {
				return // engines as old as Docker 20.10 and Podman 4.3 have no such steps
			}
			hosttest.As[abi.DockerBuildResult](t, reply)
			if shown := s.progress.String(); !strings.Contains(shown, "interfaces: ") {
				t.Errorf("the step has not run:\n%s", shown)
			}
		})
	}
}

// TestStepsForPlatforms has steps on the builder's own platform make what images
// for several others have, and pushes them.
func TestStepsForPlatforms(t *testing.T) {
	providertest.Long(t)
	eachRig(t, testStepsForPlatforms)
}

func testStepsForPlatforms(t *testing.T, r rig) {
	tag := providertest.Registry(t, "") + "/shop:1"
	s := r.site(t, r.daemon, withTool(t, map[string]string{"Dockerfile": `FROM --platform=$BUILDPLATFORM scratch AS build
ARG TARGETARCH
COPY tool /tool
RUN ["/tool", "env", "/arch", "TARGETARCH"]
FROM scratch
COPY --from=build /arch /arch
`}))
	platforms := []string{"linux/amd64", "linux/arm64", "linux/s390x"}
	s.ask = func(q *abi.DockerBuildRequest) { q.Platforms = platforms }
	built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, tag, true))
	if got := digestOf(t, tag); got != built.Digest {
		t.Errorf("the registry has %s, built was %s", got, built.Digest)
	}
	for _, platform := range platforms {
		arch := strings.TrimPrefix(platform, "linux/")
		if got := fileOf(t, tag, v1.Platform{OS: "linux", Architecture: arch}, "arch"); got != arch {
			t.Errorf("the image for %s has %q", platform, got)
		}
	}
}

// fileOf is what a file has in a registry's image.
func fileOf(t *testing.T, tag string, platform v1.Platform, file string) string {
	t.Helper()
	ref, err := name.ParseReference(tag)
	if err != nil {
		t.Fatal(err)
	}
	found, err := remote.Image(ref, remote.WithPlatform(platform))
	if err != nil {
		t.Fatal(err)
	}
	files := mutate.Extract(found)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("%s for %v has no %s: %v", tag, platform, file, err)
		}
		if h.Name == file {
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
}
