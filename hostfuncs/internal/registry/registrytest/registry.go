// Package registrytest runs a real registry for tests, Debian's docker-registry.
package registrytest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// Registry is one that runs on the loopback, in plain http, until its test ends.
type Registry struct {
	Host string // host:port
	// Tokens is its token server, nil for one that takes passwords.
	Tokens *TokenServer
}

// Basic has a registry that takes a password. Where there is none to run, the
// test is left out, and fails in CI.
func Basic(t *testing.T, user, password string) Registry {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Registry{Host: providertest.Registry(t, "  htpasswd: {realm: test, path: "+file+"}\n")}
}

// Token has a registry that takes tokens of a server, which takes the password.
// It is left out as [Basic] is.
func Token(t *testing.T, user, password string) Registry {
	t.Helper()
	server := newTokenServer(t, user, password)
	auth := "  token: {realm: " + server.URL + "/token, service: " + service + ", issuer: " + issuer + ", rootcertbundle: " + server.certificate + "}\n"
	return Registry{Host: providertest.Registry(t, auth), Tokens: server}
}
