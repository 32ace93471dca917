package registry

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// world is an Internet of one server, which is at every name: https at each
// port but 80. It remembers what it was asked.
type world struct {
	mu    sync.Mutex
	seen  []seen
	hosts map[string]http.HandlerFunc // by host, with its port if one is asked for
	base  *http.Transport
}

// seen is a request as it arrived.
type seen struct{ method, at, authorization, form string }

func newWorld(t *testing.T, hosts map[string]http.HandlerFunc) *world {
	t.Helper()
	w := &world{hosts: hosts}
	secure, plain := httptest.NewTLSServer(w), httptest.NewServer(w)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	w.base = newHTTP(silence)
	w.base.Proxy = nil
	w.base.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	w.base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		to := secure
		if strings.HasSuffix(address, ":80") {
			to = plain
		}
		return new(net.Dialer).DialContext(ctx, network, to.Listener.Addr().String())
	}
	t.Cleanup(w.base.CloseIdleConnections)
	return w
}

// ServeHTTP implements [http.Handler].
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.mu.Lock()
	w.seen = append(w.seen, seen{r.Method, r.Host + r.URL.Path, r.Header.Get("Authorization"), r.PostForm.Encode()})
	w.mu.Unlock()
	if answer, ok := w.hosts[r.Host]; ok {
		answer(rw, r)
		return
	}
	http.NotFound(rw, r)
}

// asked are the requests to a host.
func (w *world) asked(host string) (all []seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.seen {
		if strings.HasPrefix(s.at, host+"/") {
			all = append(all, s)
		}
	}
	return all
}

// wantNothing wants a host to have got no secret.
func (w *world) wantNothing(t *testing.T, host string) {
	t.Helper()
	for _, s := range w.asked(host) {
		if s.authorization != "" || s.form != "" {
			t.Errorf("%s got %+v", host, s)
		}
	}
}

func redirect(status int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, status) }
}

func answering(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}
