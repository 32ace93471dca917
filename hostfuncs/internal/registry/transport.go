package registry

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// Transport is for requests to one registry, host[:port]. It keeps the user's credentials
// from other hosts:
//
//   - Authorization and cookies are sent only to that host, a password also to the
//     registry's token server, see [CheckRealm]. Other redirects, such as to a store of
//     blobs, are followed without them.
//   - Forms, which contain identity tokens, are sent only to these two, and are not
//     redirected to another host.
//   - http is used only on the loopback, also after redirects.
//   - If a registry asks to wait up to 10 seconds, the request is repeated, at most twice.
//
// base sends the requests, and must set Request of an answer as [http.Transport] does. Nil
// is a transport with limits: 30 seconds each to connect, to begin an answer, and between
// bytes of it. The caller bounds the size of an answer.
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

// guard returns the request that may be sent instead of req.
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

// checkToken reports whether a request to another host contains a password or an identity
// token, and refuses it unless the host is the registry's token server.
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

// checkRedirect refuses a token server's redirect to another host.
func (t *transport) checkRedirect(before, req *http.Request) error {
	if sameHost(before.URL.Host, req.URL.Host, req.URL.Scheme) {
		return nil
	}
	return fmt.Errorf("registry %s: its token server %s redirects to %s, another host; credentials are not sent there",
		t.host, before.URL.Host, req.URL.Host)
}

// realmOf returns the address of a request without its query.
func realmOf(req *http.Request) string {
	at := *req.URL
	at.RawQuery = ""
	return at.String()
}

// carries reports whether a request contains a password or an identity token.
func carries(req *http.Request) bool { return isBasic(req) || isForm(req) }

func isBasic(req *http.Request) bool {
	scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "basic")
}

func isForm(req *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}
