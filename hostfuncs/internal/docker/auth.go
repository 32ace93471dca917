package docker

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/registry"
)

// dockerHub is the name under which the docker command keeps the credentials
// for images without a registry in their name.
const dockerHub = "index.docker.io"

// authRecord is an entry of config.json's auths.
type authRecord struct {
	Auth          string `json:"auth"` // base64 of user:password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// credentials returns the encoded credentials for one registry's host, which
// are empty ones when the user has none. No other host's are ever looked at.
// path is the configuration's file, for errors.
//
// Only what stands in that file itself can be used: a credential helper is a
// program, so a host whose credentials one keeps is an error.
func (c config) credentials(host, path string) (string, error) {
	if host == "docker.io" {
		host = dockerHub
	}
	record, known := lookup(c.Auths, host)
	helper, _ := lookup(c.CredHelpers, host)
	if helper == "" && known && record == (authRecord{}) {
		// An entry with nothing in it is how a login with a store shows.
		helper = c.CredsStore
	}
	if helper != "" {
		return "", fmt.Errorf("%s: the credentials for %s are kept by the helper docker-credential-%s, "+
			"which can't be asked from here; log in with a configuration that has no helper: "+
			"set DOCKER_CONFIG to an empty folder and run `docker login %s`", path, host, helper, host)
	}
	auth, err := record.decode(host)
	if err != nil {
		return "", fmt.Errorf("%s: the credentials for %s: %w; run `docker login %s`", path, host, err, host)
	}
	return registry.EncodeAuthConfig(auth)
}

// lookup returns the entry for a host, which may be written as a URL.
func lookup[V any](entries map[string]V, host string) (V, bool) {
	for _, format := range []string{"%s", "https://%s", "https://%s/", "https://%s/v1/", "https://%s/v2/", "http://%s"} {
		if v, ok := entries[fmt.Sprintf(format, host)]; ok {
			return v, true
		}
	}
	var none V
	return none, false
}

func (r authRecord) decode(host string) (registry.AuthConfig, error) {
	auth := registry.AuthConfig{
		Username:      r.Username,
		Password:      r.Password,
		IdentityToken: r.IdentityToken,
		RegistryToken: r.RegistryToken,
	}
	if r == (authRecord{}) {
		return auth, nil
	}
	auth.ServerAddress = host
	if r.Auth == "" {
		return auth, nil
	}
	// The decoder's error would quote the text that it can't decode.
	text, err := base64.StdEncoding.DecodeString(r.Auth)
	if err != nil {
		return auth, errors.New("auth is no base64")
	}
	user, password, ok := strings.Cut(string(text), ":")
	if !ok || user == "" {
		return auth, errors.New("auth holds no user:password")
	}
	auth.Username, auth.Password = user, password
	return auth, nil
}
