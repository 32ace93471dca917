package registry

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// Transport is for requests about the images of one registry, host[:port]. It
// sees to it that what a user must show goes to nobody else:
//
//   - Authorization, and cookies, go to that host, and a password in it also to
//     the registry's own token server, see [CheckRealm]. A redirect elsewhere,
//     as to where the blobs are kept, is followed without.
//   - Forms, in which identity tokens are sent, go to these two as well, and no
//     redirect takes one to another host.
//   - http is for the loopback alone, whether a registry is called so or a
//     redirect leads there.
//   - A registry that is asked too much, and says for how long to wait, is asked
//     again then, where that is 10 seconds at most, and twice.
//
// base does the requests, and sets an answer's Request as [http.Transport] does;
// nil is for one with limits of its own: 30 seconds to connect, as many to begin
// an answer, and as many without a byte of it. An answer's size is for the caller
// to bound.
func Transport(host string, base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = newBase()
	}
	return &transport{host: Canonical(host), base: base}
}

type transport struct {
	host string
	base http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	send, err := t.guard(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return t.base.RoundTrip(send)
}

// guard is the request that may be sent in place of req.
func (t *transport) guard(req *http.Request) (*http.Request, error) {
	if err := checkScheme(t.host, req); err != nil {
		return nil, err
	}
	if t.home(req) {
		return req, nil
	}
	token, err := t.checkToken(req)
	if err != nil || token {
		return req, err
	}
	bare := req.Clone(req.Context())
	for _, name := range []string{"Authorization", "Cookie", "Referer"} {
		bare.Header.Del(name)
	}
	return bare, nil
}

// home reports whether a request is to the registry.
func (t *transport) home(req *http.Request) bool {
	return sameHost(req.URL.Host, t.host, req.URL.Scheme)
}

// checkScheme requires https.
func checkScheme(host string, req *http.Request) error {
	if req.URL.Scheme == "https" || req.URL.Scheme == "http" && loopback(host) && loopback(req.URL.Host) {
		return nil
	}
	return fmt.Errorf("registry %s: %s would be asked over plain http, which is for registries of this machine's loopback; "+
		"serve it over TLS, since insecure registries are not supported", host, req.URL.Host)
}

// checkToken reports whether a request to another host than the registry is one
// for a token, which has a password or a token in it, and refuses it unless it
// is to the registry's token server.
func (t *transport) checkToken(req *http.Request) (bool, error) {
	var before *http.Request
	if req.Response != nil {
		before = req.Response.Request
	}
	switch {
	case before == nil && carries(req):
		return true, CheckRealm(t.host, realmOf(req))
	case before == nil:
		return false, nil
	case carries(before) && !t.home(before), isForm(req):
		return true, t.checkRedirect(before, req)
	}
	return false, nil
}

// checkRedirect refuses a token server's redirect, unless it is to itself.
func (t *transport) checkRedirect(before, req *http.Request) error {
	if sameHost(before.URL.Host, req.URL.Host, req.URL.Scheme) {
		return nil
	}
	return fmt.Errorf("registry %s: its token server %s redirects to %s, another host; credentials are not sent there",
		t.host, before.URL.Host, req.URL.Host)
}

// realmOf is the address of a request without what it asks.
func realmOf(req *http.Request) string {
	at := *req.URL
	at.RawQuery = ""
	return at.String()
}

// carries reports whether a request has a password or an identity token in it.
func carries(req *http.Request) bool { return isBasic(req) || isForm(req) }

func isBasic(req *http.Request) bool {
	scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "basic")
}

func isForm(req *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}
