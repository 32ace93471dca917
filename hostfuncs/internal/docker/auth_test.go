package docker

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/registry"
)

func TestCredentials(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("me:pass:word"))
	for _, tt := range []struct {
		name, config, host string
		want               registry.AuthConfig
	}{
		{"none", `{}`, "r.io", registry.AuthConfig{}},
		{"another host's", `{"auths": {"r.io:5000": {"auth": "` + encoded + `"}, "x.r.io": {"username": "x"}}}`, "r.io", registry.AuthConfig{}},
		{"encoded", `{"auths": {"r.io": {"auth": "` + encoded + `"}}}`, "r.io", registry.AuthConfig{Username: "me", Password: "pass:word", ServerAddress: "r.io"}},
		{"with a port", `{"auths": {"r.io:5000": {"auth": "` + encoded + `"}}}`, "r.io:5000", registry.AuthConfig{Username: "me", Password: "pass:word", ServerAddress: "r.io:5000"}},
		{"plain", `{"auths": {"r.io": {"username": "u", "password": "p"}}}`, "r.io", registry.AuthConfig{Username: "u", Password: "p", ServerAddress: "r.io"}},
		{"token", `{"auths": {"r.io": {"identitytoken": "t"}}}`, "r.io", registry.AuthConfig{IdentityToken: "t", ServerAddress: "r.io"}},
		{"as a URL", `{"auths": {"https://r.io/v1/": {"username": "u"}}}`, "r.io", registry.AuthConfig{Username: "u", ServerAddress: "r.io"}},
		{"Docker Hub", `{"auths": {"https://index.docker.io/v1/": {"username": "u"}}}`, "docker.io", registry.AuthConfig{Username: "u", ServerAddress: "index.docker.io"}},
		{"a store that has others", `{"credsStore": "desktop", "auths": {"x.io": {}}}`, "r.io", registry.AuthConfig{}},
		{"a store beside an entry", `{"credsStore": "desktop", "auths": {"r.io": {"username": "u"}}}`, "r.io", registry.AuthConfig{Username: "u", ServerAddress: "r.io"}},
		{"another host's helper", `{"credHelpers": {"x.io": "gcr"}}`, "r.io", registry.AuthConfig{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.config).credentials(tt.host, "F")
			if err != nil {
				t.Fatal(err)
			}
			auth, err := registry.DecodeAuthConfig(got)
			if err != nil {
				t.Fatal(err)
			}
			if *auth != tt.want {
				t.Errorf("got %+v, want %+v", *auth, tt.want)
			}
		})
	}
}

func parse(t *testing.T, text string) config {
	t.Helper()
	var c config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCredentialsRefused(t *testing.T) {
	for _, tt := range []struct{ name, config, host, want string }{
		{"helper", `{"credHelpers": {"r.io": "gcr"}}`, "r.io", "docker-credential-gcr"},
		{"helper before an entry", `{"credHelpers": {"r.io": "gcr"}, "auths": {"r.io": {"username": "u"}}}`, "r.io", "docker-credential-gcr"},
		{"helper for Docker Hub", `{"credHelpers": {"https://index.docker.io/v1/": "pass"}}`, "docker.io", "docker-credential-pass"},
		{"store", `{"credsStore": "desktop", "auths": {"r.io": {}}}`, "r.io", "`docker login r.io`"},
		{"no base64", `{"auths": {"r.io": {"auth": "se-cret"}}}`, "r.io", "auth is no base64"},
		{"no password", `{"auths": {"r.io": {"auth": "c2VjcmV0"}}}`, "r.io", "auth holds no user:password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(t, tt.config).credentials(tt.host, "/c/config.json")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "/c/config.json: ") {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "se-cret") || strings.Contains(err.Error(), "secret") {
				t.Errorf("the secret is in %q", err)
			}
		})
	}
}
