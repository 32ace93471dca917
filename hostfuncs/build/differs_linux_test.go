package build

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// These tests measure rows of the table "Differences between engines" in
// docs/builds-reference.md.

// allowing is [allowEach] with more rules for builds.
func allowing(rules string) string {
	return strings.Replace(allowEach, "{build: {", "{build: {"+rules+", ", 1)
}

// TestFrontend has a line # syntax= name an image that reads the Dockerfile.
func TestFrontend(t *testing.T) { eachRig(t, testFrontend) }

func testFrontend(t *testing.T, r rig) {
	frontend := providertest.Frontend(t, providertest.Registry(t, ""))
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s := r.site(t, e, map[string]string{"Dockerfile": "# syntax=" + frontend + "\nFROM scratch\nCOPY <<END /text\nhere\nEND\n"})
			s.policy = allowing("syntax: ['" + frontend + "']")
			s.outputs(imagetest.Dir(t))
			reply := s.build(t.Context(), t, "shop:frontend", false)
			switch {
			case e.Kind == Embedded:
				s.wantLine(t, reply, abi.CodeFailed, "app/Dockerfile:1: the Dockerfile has a frontend of its own")
			case r.withoutBuildKit(t, s, e, reply, "a frontend of its own ("+frontend+")"):
			case e.Kind == Docker && reply.Error != nil && strings.Contains(reply.Error.Message, "network bridge not found"):
				// It runs in the engine's own network, which one for tests may lack.
			default:
				hosttest.As[abi.DockerBuildResult](t, reply)
			}
		})
	}
}

// TestPlatforms builds for another platform than this machine's, and for both of
// them at once.
func TestPlatforms(t *testing.T) { eachRig(t, testPlatforms) }

func testPlatforms(t *testing.T, r rig) {
	other := map[bool]string{true: "linux/amd64", false: "linux/arm64"}[runtime.GOARCH == "arm64"]
	for _, e := range r.all() {
		for name, platforms := range map[string][]string{"another": {other}, "both": {"linux/" + runtime.GOARCH, other}} {
			t.Run(string(e.Kind)+" "+name, func(t *testing.T) {
				s := r.site(t, e, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
				s.ask = func(q *abi.DockerBuildRequest) { q.Platforms = platforms }
				s.embeddedOutputs(t)
				reply := s.build(t.Context(), t, "shop:platforms", false)
				switch {
				case r.withoutBuildKit(t, s, e, reply, "platforms"):
				case name == "another", e.Kind == BuildKit, e.Kind == Docker && r.about.Containerd:
					hosttest.As[abi.DockerBuildResult](t, reply)
				default:
					s.wantLine(t, reply, abi.CodeFailed, map[Kind]string{
						Docker: "exporting multiple references to image store is currently unsupported", Embedded: "one platform at a time",
					}[e.Kind])
				}
			})
		}
	}
}

// TestCacheInRegistry has each engine take a step from a cache that the daemon
// wrote to a registry, and write one itself. A step from a cache prints nothing.
func TestCacheInRegistry(t *testing.T) { eachRig(t, testCacheInRegistry) }

func testCacheInRegistry(t *testing.T, r rig) {
	host := providertest.Registry(t, "")
	build := func(t *testing.T, e Engine, ask func(*abi.DockerBuildRequest)) (site, abi.Reply) {
		text := "FROM scratch\nCOPY file tool /\n"
		if e.Kind != Embedded {
			text += "RUN [\"/tool\", \"lines\", \"1\", \"0\"]\n"
		}
		s := r.site(t, e, withTool(t, map[string]string{"Dockerfile": text, "file": host}))
		s.policy, s.ask = allowing("cache_from: ['**'], cache_to: ['**']"), ask
		s.embeddedOutputs(t)
		return s, s.build(t.Context(), t, "shop:cache", false)
	}
	read := func(q *abi.DockerBuildRequest) { q.CacheFrom = []string{host + "/cache:daemon"} }
	write := func(tag string) func(*abi.DockerBuildRequest) {
		return func(q *abi.DockerBuildRequest) {
			q.CacheTo = []string{"type=registry,mode=max,ref=" + host + "/cache:" + tag}
		}
	}
	_, reply := build(t, r.daemon, write("daemon"))
	hosttest.As[abi.DockerBuildResult](t, reply)
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s, reply := build(t, e, read)
			again, wrote := build(t, e, write("own"))
			switch {
			case e.Kind == Embedded:
				s.wantLine(t, reply, abi.CodeFailed, "the embedded builder does not have a cache")
				again.wantLine(t, wrote, abi.CodeFailed, "the embedded builder does not have a cache")
			case r.withoutBuildKit(t, s, e, reply, "a cache in a registry"):
				r.withoutBuildKit(t, again, e, wrote, "a cache in a registry")
			case e.Kind == Docker && !r.about.Containerd:
				hosttest.As[abi.DockerBuildResult](t, reply)
				// Before 0.12 BuildKit finds nothing in what a later one wrote.
				if !strings.Contains(s.progress.String(), "line 1") {
					t.Errorf("it took the step from the cache:\n%s", s.progress)
				}
				again.wantLine(t, wrote, abi.CodeFailed, `unknown cache exporter: "registry"`)
			default:
				hosttest.As[abi.DockerBuildResult](t, reply)
				if strings.Contains(s.progress.String(), "line 1") {
					t.Errorf("it took no step from the cache:\n%s", s.progress)
				}
				hosttest.As[abi.DockerBuildResult](t, wrote)
				digestOf(t, host+"/cache:own")
			}
		})
	}
}

// TestTriggers has a base image trigger a file from elsewhere, which nobody decided
// on: a builder that enforces the source policy never asks for it.
func TestTriggers(t *testing.T) { eachRig(t, testTriggers) }

func testTriggers(t *testing.T, r rig) {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprintln(w, "from elsewhere")
	}))
	defer elsewhere.Close()
	base := providertest.Registry(t, "") + "/base:1"
	pushTrigger(t, base, "ADD "+elsewhere.URL+"/file /")
	for _, e := range r.all() {
		t.Run(string(e.Kind), func(t *testing.T) {
			s := r.site(t, e, map[string]string{"Dockerfile": "FROM " + base + "\nLABEL a=b\n"})
			s.embeddedOutputs(t)
			reply := s.build(t.Context(), t, "shop:triggers", false)
			// Docker before 24.0 and Podman know no source policy, see docs/security-limits.md.
			enforces := e.Kind != Docker || r.about.Containerd
			if n := asked.Swap(0); enforces != (n == 0) {
				t.Errorf("it asked %d times for what nobody decided on", n)
			}
			switch {
			case e.Kind == Embedded:
				s.wantLine(t, reply, abi.CodeFailed, "the image has ONBUILD triggers, which need an engine")
			case enforces:
				s.wantLine(t, reply, abi.CodeFailed, "denied by policy")
			default:
				hosttest.As[abi.DockerBuildResult](t, reply)
			}
		})
	}
}

// pushTrigger pushes an image of nothing but an instruction for whoever builds on
// it.
func pushTrigger(t *testing.T, ref, trigger string) {
	t.Helper()
	base, err := mutate.Config(empty.Image, v1.Config{OnBuild: []string{trigger}})
	if err != nil {
		t.Fatal(err)
	}
	to, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, base); err != nil {
		t.Fatal(err)
	}
}
