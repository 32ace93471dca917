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
	"fmt"
	"time"

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
