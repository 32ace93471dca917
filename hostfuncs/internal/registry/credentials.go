// Package registry authenticates to image registries: with credentials from the docker
// command's configuration and helpers, and with the tokens that they are exchanged for.
// It keeps both from other hosts.
//
// It runs no program itself, and uses plain http only on the loopback: registries that an
// engine's configuration calls insecure are refused.
package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// keptFor is how long an answer is valid. Helpers of clouds return credentials that
// expire after 5 minutes.
const keptFor = 4 * time.Minute

// Run runs a program from PATH with a standard input, and returns its output and exit
// code. It bounds output and time, and ends the program once ctx is done.
//
// # Errors
//
// A missing program, or one that did not end by itself. Errors do not quote output.
type Run func(ctx context.Context, program string, args []string, stdin string) (stdout []byte, exit int, err error)

// Credentials are a user's credentials for all registries. They are safe for concurrent
// use.
type Credentials struct {
	directory string
	run       Run
	now       func() time.Time

	// turn serialises look-ups, so that a helper asks its user once.
	turn chan struct{}
	kept map[string]kept
}

type kept struct {
	auth Auth
	at   time.Time
}

// New returns the credentials of a user, see [Directory]. Nothing is read before the
// first look-up. run runs helpers.
func New(environ func(string) string, run Run) *Credentials {
	return &Credentials{
		directory: Directory(environ), run: run, now: time.Now,
		turn: make(chan struct{}, 1), kept: map[string]kept{},
	}
}

// Lookup returns the credentials for a registry, host[:port], or the zero [Auth]. Entries
// for other hosts or ports are not used. An answer is kept for 4 minutes.
//
// As in the docker command, a helper in credHelpers comes first, then one in credsStore,
// then an entry in auths.
//
// # Errors
//
// A configuration that cannot be read, and a helper that is missing, does not answer, or
// violates its protocol. Errors name the file or the helper and what to do, and quote no
// secret. ctx's error once it is done.
func (c *Credentials) Lookup(ctx context.Context, host string) (Auth, error) {
	if !hostForm().MatchString(host) {
		return Auth{}, fmt.Errorf("%q is not the host of a registry", termtext.Line(host, 200))
	}
	host = Canonical(host)
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return Auth{}, ctx.Err()
	}
	if k, ok := c.kept[host]; ok && c.now().Sub(k.at) < keptFor {
		return k.auth, nil
	}
	auth, err := c.find(ctx, host)
	if err != nil {
		return Auth{}, err
	}
	c.kept[host] = kept{auth, c.now()}
	return auth, nil
}

// find looks in the configuration.
func (c *Credentials) find(ctx context.Context, host string) (Auth, error) {
	var read config
	if err := ReadConfig(c.directory, &read); err != nil {
		return Auth{}, fmt.Errorf("%w; correct that file, or run `docker login %s` with another DOCKER_CONFIG", err, host)
	}
	if helper, _ := entry(read.CredHelpers, host); helper != "" {
		return c.ask(ctx, helper, host)
	}
	if read.CredsStore != "" {
		if auth, err := c.ask(ctx, read.CredsStore, host); err != nil || !auth.None() {
			return auth, err
		}
	}
	r, _ := entry(read.Auths, host)
	auth, err := r.decode()
	if err != nil {
		return Auth{}, fmt.Errorf("%s: the credentials for %s: %w; run `docker login %s`", File(c.directory), host, err, host)
	}
	return auth, nil
}

// entry returns the entry of a host, which may be written as a URL.
func entry[V any](entries map[string]V, host string) (V, bool) {
	for _, format := range []string{"%s", "https://%s", "https://%s/", "https://%s/v1/", "https://%s/v2/", "http://%s"} {
		if v, ok := entries[fmt.Sprintf(format, host)]; ok {
			return v, true
		}
	}
	var none V
	return none, false
}

// Auth are the credentials for one registry. The zero Auth has none.
type Auth struct {
	Username, Password string
	// IdentityToken replaces name and password at a token server.
	IdentityToken string
	// RegistryToken is sent to the registry itself.
	RegistryToken string
}

// None reports whether there are no credentials.
func (a Auth) None() bool { return a == Auth{} }

// Format prints no secret with any verb, so that none gets into a log by accident.
func (a Auth) Format(f fmt.State, _ rune) {
	if a.None() {
		fmt.Fprint(f, "no credentials")
		return
	}
	fmt.Fprint(f, "credentials")
}

// record is an entry of config.json's auths.
type record struct {
	Auth          string `json:"auth"` // base64 of user:password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

func (r record) decode() (Auth, error) {
	auth := Auth{Username: r.Username, Password: r.Password, IdentityToken: r.IdentityToken, RegistryToken: r.RegistryToken}
	if r.Auth == "" {
		return auth, nil
	}
	// The decoder's error would quote the text that it cannot decode.
	text, err := base64.StdEncoding.DecodeString(r.Auth)
	if err != nil {
		return Auth{}, errors.New("auth is not base64")
	}
	user, password, ok := strings.Cut(string(text), ":")
	if !ok || user == "" {
		return Auth{}, errors.New("auth is not user:password")
	}
	auth.Username, auth.Password = user, password
	return auth, nil
}

// Keychain returns the credentials for go-containerregistry. Use it with a [Transport]:
// the library sends them wherever a registry says.
func (c *Credentials) Keychain() authn.Keychain { return keychain{c} }

type keychain struct{ credentials *Credentials }

// Resolve implements [authn.Keychain].
func (k keychain) Resolve(of authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), of)
}

// ResolveContext implements [authn.ContextKeychain].
func (k keychain) ResolveContext(ctx context.Context, of authn.Resource) (authn.Authenticator, error) {
	auth, err := k.credentials.Lookup(ctx, of.RegistryStr())
	if err != nil || auth.None() {
		return authn.Anonymous, err
	}
	return authn.FromConfig(authn.AuthConfig{
		Username: auth.Username, Password: auth.Password,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	}), nil
}
