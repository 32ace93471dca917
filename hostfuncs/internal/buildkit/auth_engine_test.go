package buildkit

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry/registrytest"
)

// pushBase pushes an image that builds can start from.
func pushBase(t *testing.T, host string) string {
	t.Helper()
	ref, err := name.ParseReference(host + "/team/base:v1")
	if err != nil {
		t.Fatal(err)
	}
	image, err := random.Image(1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	// An engine of version 29 wants to know what it is for.
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture = "linux", runtime.GOARCH
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	c := credentialsFor(t, login(host))
	if err := remote.Write(ref, image, remote.WithAuthFromKeychain(c.Keychain()), remote.WithTransport(registry.Transport(host, nil))); err != nil {
		t.Fatal(err)
	}
	return ref.String()
}

// TestEnginePulls builds on an image that only the user may read.
func TestEnginePulls(t *testing.T) { eachBuildKit(t, testEnginePulls) }

func testEnginePulls(t *testing.T, b *Builder) {
	for kind, start := range map[string]func(*testing.T, string, string) registrytest.Registry{"basic": registrytest.Basic, "token": registrytest.Token} {
		t.Run(kind, func(t *testing.T) {
			r := start(t, "me", canary)
			base := pushBase(t, r.Host)
			access, err := AccessTo(base, false)
			if err != nil {
				t.Fatal(err)
			}
			what := aBuild(t, map[string]string{"Dockerfile": "FROM " + base + "\nLABEL a=b\n"})
			for who, auth := range map[string]Options{
				"nobody":           {},
				"not for the host": {Auth: NewAuth(credentialsFor(t, login(r.Host)), registry.NewClient(nil), []Access{{Host: "r.io", Repository: access.Repository}})},
				"another host's":   {Auth: NewAuth(credentialsFor(t, login("r.io")), registry.NewClient(nil), []Access{access})},
				"a wrong password": {Auth: NewAuth(credentialsFor(t, `"`+r.Host+`": {"username": "me", "password": "`+canary+`x"}`), registry.NewClient(nil), []Access{access})},
			} {
				if _, err := b.Build(t.Context(), what, auth); err == nil || strings.Contains(err.Error(), canary) {
					t.Errorf("%s: got %v", who, err)
				} else {
					t.Logf("%s: %v", who, err)
				}
			}
			_, err = b.Build(t.Context(), what, Options{Auth: NewAuth(credentialsFor(t, login(r.Host)), registry.NewClient(nil), []Access{access})})
			if err != nil {
				t.Errorf("the user: %v", err)
			}
		})
	}
}
