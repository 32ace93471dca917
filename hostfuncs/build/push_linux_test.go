package build

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry/registrytest"
)

// TestPush pushes with each engine to registries that want a password, and to
// such that want a token, and takes a base image from there again.
func TestPush(t *testing.T) { eachRig(t, testPush) }

func testPush(t *testing.T, r rig) {
	for _, registry := range []registrytest.Registry{registrytest.Basic(t, "me", "secret"), registrytest.Token(t, "me", "secret")} {
		for _, engine := range r.all() {
			kind := fmt.Sprintf("%s, tokens %v", engine.Kind, registry.Tokens != nil)
			build := func(t *testing.T, password, text, tag string) (abi.Reply, string) {
				r := r
				r.config = dockerConfig(t, registry.Host, "me", password)
				s := r.site(t, engine, map[string]string{"Dockerfile": text, "file": "in it"})
				reply := s.build(t.Context(), t, tag, true)
				return reply, s.progress.String()
			}
			tag := registry.Host + "/shop/" + string(engine.Kind) + ":1"
			t.Run(kind, func(t *testing.T) {
				reply, progress := build(t, "secret", "FROM scratch\nCOPY file /\n", tag)
				built := hosttest.As[abi.DockerBuildResult](t, reply)
				if got := digestOf(t, tag); got != built.Digest {
					t.Errorf("the registry has %s, built was %+v\n%s", got, built, progress)
				}
				reply, progress = build(t, "secret", "FROM "+tag+"\nCOPY file /again\n", tag+"again")
				if built := hosttest.As[abi.DockerBuildResult](t, reply); built.Digest == "" || strings.Contains(progress, "secret") {
					t.Errorf("built %+v\n%s", built, progress)
				}
			})
			t.Run(kind+", a wrong password", func(t *testing.T) {
				reply, progress := build(t, "wrong", "FROM scratch\nCOPY file /\n", tag+"wrong")
				if reply.Error == nil || strings.Contains(reply.Error.Message+progress, "wrong\"") {
					t.Errorf("got %+v\n%s", reply, progress)
				}
			})
		}
	}
}

// dockerConfig is a directory with the docker command's configuration.
func dockerConfig(t *testing.T, host, user, password string) string {
	t.Helper()
	dir := imagetest.Dir(t)
	text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func digestOf(t *testing.T, tag string) string {
	t.Helper()
	ref, err := name.ParseReference(tag)
	if err != nil {
		t.Fatal(err)
	}
	found, err := remote.Head(ref, remote.WithAuth(&authn.Basic{Username: "me", Password: "secret"}))
	if err != nil {
		t.Fatal(err)
	}
	return found.Digest.String()
}
