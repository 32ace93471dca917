package registry

import (
	"errors"
	"fmt"
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
