// Package registry is what a user must show to image registries: credentials
// from the docker command's configuration and its helpers, the tokens that they
// are exchanged for, and the rules that keep both from any other host than
// theirs. All that builds and pushes takes them from here.
//
// It runs no program itself, and speaks plain http to the loopback alone:
// registries that are called insecure in an engine's configuration are refused.
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

// keptFor is how long an answer counts. Helpers of clouds give out what ends
// after 5 minutes.
const keptFor = 4 * time.Minute

// Run runs a program, found by its name in PATH, with that text as its standard
// input, and returns what it printed and its exit code. It bounds both output
// and time, and ends the program when ctx is done.
//
// # Errors
//
// A program that is not there, or did not end by itself. They quote no output.
type Run func(ctx context.Context, program string, args []string, stdin string) (stdout []byte, exit int, err error)

// Credentials are a user's, for all registries. Its methods may be called at
// once.
type Credentials struct {
	directory string
	run       Run
	now       func() time.Time

	// turn serialises look-ups: a helper that asks its user does so once.
	turn chan struct{}
	kept map[string]kept
}

type kept struct {
	auth Auth
	at   time.Time
}

// New has the credentials of the configuration's directory that the environment
// names, see [Directory]. Nothing is read before it is asked for. run is for
// helpers.
func New(environ func(string) string, run Run) *Credentials {
	return &Credentials{
		directory: Directory(environ), run: run, now: time.Now,
		turn: make(chan struct{}, 1), kept: map[string]kept{},
	}
}

// Lookup finds what the user must show to one registry, host[:port], which is
// the zero [Auth] when there is nothing. No other host's entries are looked at,
// and none for the same host at another port. An answer is kept for 4 minutes.
//
// A helper in credHelpers is asked before one in credsStore, and that one before
// an entry in auths is used, as the docker command does. A helper has what the
// [Run] leaves it to answer.
//
// # Errors
//
// A configuration that cannot be read, and a helper that is missing, does not
// answer, or not by its protocol. They name the file or the helper and what to
// do, and quote no secret. ctx's error when it is done.
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

// find looks into the configuration.
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

// entry returns the one for a host, which may be written as a URL.
func entry[V any](entries map[string]V, host string) (V, bool) {
	for _, format := range []string{"%s", "https://%s", "https://%s/", "https://%s/v1/", "https://%s/v2/", "http://%s"} {
		if v, ok := entries[fmt.Sprintf(format, host)]; ok {
			return v, true
		}
	}
	var none V
	return none, false
}

// Auth is what a user must show to one registry. The zero Auth is nothing.
type Auth struct {
	Username, Password string
	// IdentityToken replaces name and password where tokens are given out.
	IdentityToken string
	// RegistryToken is what a registry takes itself, as it is.
	RegistryToken string
}

// None reports whether there is nothing to show.
func (a Auth) None() bool { return a == Auth{} }

// Format prints no secret, whatever the verb is: what is printed by accident
// would be in a log.
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

// Keychain is the credentials as go-containerregistry takes them. It is to go
// with a [Transport], since that library sends them wherever a registry says.
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
