package buildkit

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	memoryregistry "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

func aDaemon(t *testing.T) *Builder {
	t.Helper()
	b, err := Dial(t.Context(), providertest.BuildKit(t), TLS{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestDaemonHoldsToWhatWasDecided has the daemon itself refuse what a Dockerfile
// takes that was not decided on, as if it had been changed since.
func TestDaemonHoldsToWhatWasDecided(t *testing.T) {
	b := aDaemon(t)
	digest := "sha256:" + strings.Repeat("a", 64)
	for _, tt := range []struct {
		name, text string
		bases      []string
		remotes    []string
		denied     bool
	}{
		{name: "another image", text: "FROM 127.0.0.1:1/other:1\n", bases: []string{"127.0.0.1:1/decided:1"}, denied: true},
		{name: "another tag", text: "FROM 127.0.0.1:1/decided:2\n", bases: []string{"127.0.0.1:1/decided:1"}, denied: true},
		{name: "another digest", text: "FROM 127.0.0.1:1/decided:1@" + digest + "\n", bases: []string{"127.0.0.1:1/decided:1@sha256:" + strings.Repeat("b", 64)}, denied: true},
		{name: "an image in COPY", text: "FROM scratch\nCOPY --from=127.0.0.1:1/other:1 / /\n", bases: []string{}, denied: true},
		{name: "a file from elsewhere", text: "FROM scratch\nADD http://127.0.0.1:1/x /\n", bases: []string{}, denied: true},
		{name: "a repository", text: "FROM scratch\nADD https://127.0.0.1:1/x.git /\n", bases: []string{}, denied: true},
		{name: "another file from elsewhere", text: "FROM scratch\nADD http://127.0.0.1:1/y /\n", bases: []string{}, remotes: []string{"http://127.0.0.1:1/x"}, denied: true},
		{name: "another repository", text: "FROM scratch\nADD https://127.0.0.1:1/y.git#main /\n", bases: []string{}, remotes: []string{"https://127.0.0.1:1/x.git"}, denied: true},
		{name: "a repository that was", text: "FROM scratch\nADD ssh://git@127.0.0.1:1/x.git#main:sub /\n", bases: []string{}, remotes: []string{"ssh://git@127.0.0.1:1/x.git#main:sub"}},
		{name: "what was decided on", text: "FROM 127.0.0.1:1/decided:1\n", bases: []string{"127.0.0.1:1/decided:1"}},
		{name: "a file that was", text: "FROM scratch\nADD http://127.0.0.1:1/x /\n", bases: []string{}, remotes: []string{"http://127.0.0.1:1/x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			what := aBuild(t, map[string]string{"Dockerfile": tt.text})
			what.Bases, what.Remotes = tt.bases, tt.remotes
			_, err := b.Build(t.Context(), what, Options{Key: t.Name()})
			// What may be asked for is not there either.
			if err == nil || strings.Contains(err.Error(), "denied by policy") != tt.denied {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestDaemonHoldsTriggers has what a base image has others do be held to what was
// decided on too: nobody could know of it before.
func TestDaemonHoldsTriggers(t *testing.T) {
	b := aDaemon(t)
	server := httptest.NewServer(memoryregistry.New())
	t.Cleanup(server.Close)
	frontend := providertest.Frontend(t, strings.TrimPrefix(server.URL, "http://"))
	for i, trigger := range []string{"COPY --from=127.0.0.1:1/other:1 / /", "RUN --mount=from=127.0.0.1:1/other:1,target=/x a", "ADD http://127.0.0.1:1/x /", "ADD https://127.0.0.1:1/x.git /"} {
		base, err := mutate.Config(empty.Image, v1.Config{OnBuild: []string{trigger}})
		if err != nil {
			t.Fatal(err)
		}
		ref := fmt.Sprintf("%s/base:%d", strings.TrimPrefix(server.URL, "http://"), i)
		to, err := name.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(to, base); err != nil {
			t.Fatal(err)
		}
		what := aBuild(t, map[string]string{"Dockerfile": "FROM " + ref + "\nLABEL a=b\n"})
		what.Bases = []string{ref}
		for _, what.Syntax = range []string{"", frontend} {
			if _, err := b.Build(t.Context(), what, Options{Key: t.Name()}); err == nil || !strings.Contains(err.Error(), "denied by policy") {
				t.Errorf("%s, read by %q: got %v", trigger, what.Syntax, err)
			}
		}
	}
	// The frontend works, and reads what was decided on.
	what := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	what.Bases, what.Syntax = []string{}, frontend
	if _, err := b.Build(t.Context(), what, Options{Key: t.Name()}); err != nil {
		t.Error(err)
	}
}

// TestDaemonAttests has an argument name an image that looks into the one that
// was built: it is one more that was not decided on.
func TestDaemonAttests(t *testing.T) {
	b := aDaemon(t)
	what := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"})
	what.Bases = []string{}
	for arg, value := range map[string]string{"BUILDKIT_ATTEST_SBOM": "generator=127.0.0.1:1/other:1", "BUILDKIT_ATTEST_sBoM": ""} {
		what.Args = map[string]string{arg: value}
		if _, err := b.Build(t.Context(), what, Options{Key: t.Name()}); err == nil || !strings.Contains(err.Error(), "denied by policy") {
			t.Errorf("%s: got %v", arg, err)
		}
	}
}

// TestDaemonTakesNoFrontend has a Dockerfile's own word on what reads it not be
// heard, unless it was decided on.
func TestDaemonTakesNoFrontend(t *testing.T) {
	b := aDaemon(t)
	what := aBuild(t, map[string]string{"Dockerfile": "# syntax=127.0.0.1:1/frontend:1\nFROM scratch\nCOPY Dockerfile /\n"})
	what.Bases, what.Args = []string{}, map[string]string{"BUILDKIT_SYNTAX": "127.0.0.1:1/frontend:1"}
	if _, err := b.Build(t.Context(), what, Options{Key: t.Name()}); err != nil {
		t.Error(err)
	}
	what.Syntax = "127.0.0.1:1/frontend:1"
	if _, err := b.Build(t.Context(), what, Options{Key: t.Name()}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/frontend") || strings.Contains(err.Error(), "denied") {
		t.Errorf("got %v", err)
	}
}

// TestDaemonEndsWithItsContext wants a build that is given up to end there too:
// the daemon runs no step of it any more.
func TestDaemonEndsWithItsContext(t *testing.T) {
	b := aDaemon(t)
	what := aBuild(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n", "large": strings.Repeat("x", 1<<20)})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.Build(ctx, what, Options{Key: t.Name(), Status: func(*client.SolveStatus) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	cancel()
	if _, err := b.Build(t.Context(), what, Options{Key: t.Name()}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestDialNobody(t *testing.T) {
	for _, address := range []string{"unix:///none.sock", "tcp://127.0.0.1:1", "http://127.0.0.1:1", "nonsense"} {
		_, err := Dial(t.Context(), address, TLS{})
		if _, ok := errors.AsType[*UnavailableError](err); !ok || !strings.Contains(err.Error(), "no BuildKit at "+address) {
			t.Errorf("%s: got %v", address, err)
		}
	}
}
