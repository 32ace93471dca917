package build

import (
	"runtime"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// TestPlatformOfEngine has stages and images be named by what a build runs on:
// whatever builds is asked for that.
func TestPlatformOfEngine(t *testing.T) { eachRig(t, testPlatformOfEngine) }

func testPlatformOfEngine(t *testing.T, r rig) {
	stages := "FROM scratch AS on-" + runtime.GOARCH + "\nCOPY a /\nFROM scratch AS on-other\nCOPY none /\nFROM on-$TARGETARCH\n"
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			if engine.Kind == Docker && !r.about.BuildKit {
				s := r.site(t, engine, map[string]string{"Dockerfile": stages, "a": "x"})
				s.wantLine(t, s.build(t.Context(), t, "shop:platform", false), abi.CodeFailed, "app/Dockerfile:5: TARGETARCH depends on the builder", "does not have BuildKit")
				return
			}
			s := r.site(t, engine, map[string]string{"Dockerfile": stages, "a": "x"})
			s.embeddedOutputs(t)
			hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, "shop:platform", false))
			s = r.site(t, engine, map[string]string{"Dockerfile": "FROM example.com/for-$TARGETOS-$BUILDARCH\n"})
			s.embeddedOutputs(t)
			s.policy = `{version: 1, providers: {test: {build: {contexts: [app], tags: ['**'], bases: [example.com/other], outputs: ['/**'], engines: [docker, embedded, 'buildkit+tcp://*:*']}}}}`
			s.wantLine(t, s.build(t.Context(), t, "shop:platform", false), abi.CodeDenied, "example.com/for-linux-"+runtime.GOARCH+":latest")
		})
	}
}

// embeddedOutputs has the embedded builder, which keeps no images, write them.
func (s site) embeddedOutputs(t *testing.T) {
	if s.Builds.Engine.Kind == Embedded {
		s.outputs(imagetest.Dir(t))
	}
}
