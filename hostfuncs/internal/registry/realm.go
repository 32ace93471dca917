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

// CheckRealm returns an error if a registry's token server, its realm, must not get the
// registry's credentials. It must use https and have the registry's registrable domain.
// On the loopback, both may use http. See RATIONALE.md, "Why must a token server be of
// the registry's domain?".
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

// mayServe returns why a token server is not the registry's, nil if it is.
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

// sameOwner reports whether two hosts have the same owner, as browsers decide for
// cookies: by https://publicsuffix.org. Hosts without a registrable domain, such as
// addresses, must be the same.
func sameOwner(a, b string) bool {
	if a == b || loopback(a) && loopback(b) {
		return true
	}
	first, second := registrable(a), registrable(b)
	return first != "" && first == second
}

// registrable returns the registrable domain of a host, empty if it has none.
func registrable(name string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(name, "."))
	if err != nil {
		return ""
	}
	return domain
}

// GivesTokens reports whether a registry has a token server, by its answer to a request
// without credentials. It must answer within 30 seconds. On the loopback it may use http.
//
// # Errors
//
// A registry that cannot be reached from here. ctx's error once it is done.
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

// challenged looks for Bearer in the challenges, see
// https://distribution.github.io/distribution/spec/auth/token/. The word in a parameter
// counts too; then the registry gets no password.
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
