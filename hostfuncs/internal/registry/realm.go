package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// CheckRealm says what keeps a token server, which a registry named as its
// realm, from getting the registry's credentials, if anything: it must be asked
// over https and belong to the registry, by being at the same registrable
// domain. One of the loopback belongs to a registry of the loopback, and may
// speak http. See RATIONALE.md, "Why must a token server be of the registry's
// domain?".
func CheckRealm(host, realm string) error {
	at, err := parseRealm(realm)
	if err == nil {
		err = mayServe(host, at)
	}
	if err != nil {
		return fmt.Errorf("registry %s asks for its credentials to be sent to %q: %w; they are not sent",
			host, termtext.Line(realm, 200), err)
	}
	return nil
}

func parseRealm(realm string) (*url.URL, error) {
	at, err := url.Parse(realm)
	switch {
	case err != nil || at.Host == "" || !hostForm().MatchString(at.Host):
		return nil, errors.New("not an address")
	case at.User != nil:
		return nil, errors.New("an address with a user name is refused")
	}
	return at, nil
}

// mayServe says what keeps a token server from being a registry's.
func mayServe(host string, at *url.URL) error {
	switch {
	case at.Scheme == "http" && loopback(host) && loopback(at.Host):
		return nil
	case at.Scheme != "https":
		return errors.New("it does not use https")
	case !sameOwner(hostname(host), hostname(at.Host)):
		return errors.New("it is not in the registry's domain")
	}
	return nil
}

// sameOwner reports whether two hosts belong to one owner, as browsers tell it for
// cookies: by https://publicsuffix.org. Hosts that have no registrable domain,
// as addresses and public suffixes, must be the same.
func sameOwner(a, b string) bool {
	if a == b || loopback(a) && loopback(b) {
		return true
	}
	first, second := registrable(a), registrable(b)
	return first != "" && first == second
}

// registrable is the registrable domain of a host, empty for one that has none.
func registrable(name string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(name, "."))
	if err != nil {
		return ""
	}
	return domain
}

// GivesTokens asks a registry whether it has a token server, by its answer to a
// request without credentials; it has 30 seconds. One of the loopback may speak
// http.
//
// # Errors
//
// A registry that cannot be asked from here. ctx's error when it is done.
func (c *Client) GivesTokens(ctx context.Context, host string) (bool, error) {
	schemes := []string{"https"}
	if loopback(host) {
		schemes = append(schemes, "http")
	}
	var first error
	for _, scheme := range schemes {
		gives, err := c.challenged(ctx, scheme, host)
		switch {
		case err == nil:
			return gives, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		case first == nil:
			first = err
		}
	}
	return false, fmt.Errorf("registry %s %w", host, first)
}

// challenged looks for a Bearer among the challenges, see
// https://distribution.github.io/distribution/spec/auth/token/. One that only
// has the word in another's parameters is taken for one that gives tokens, and
// so gets no password.
func (c *Client) challenged(ctx context.Context, scheme, host string) (bool, error) {
	req, err := http.NewRequest(http.MethodGet, scheme+"://"+host+"/v2/", nil)
	if err != nil {
		return false, err
	}
	resp, cancel, err := c.do(ctx, req)
	if err != nil {
		return false, err
	}
	defer cancel()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("answers with status %d", resp.StatusCode)
	}
	all := strings.ToLower(strings.Join(resp.Header.Values("WWW-Authenticate"), ", "))
	return strings.Contains(all, "bearer"), nil
}
