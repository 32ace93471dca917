package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/logs"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// send sends a request of which all parts that a secret may be in are set.
func send(t *testing.T, base http.RoundTripper, host, method, url, authorization, form string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	resp, err := (&http.Client{Transport: Transport(host, base)}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

// TestTransport sends to r.io's transport what a library may send. got is what
// arrives at the host that has the answer; err says that nothing does.
func TestTransport(t *testing.T) {
	const basic, bearer, form = "Basic " + canary, "Bearer " + canary, "refresh_token=" + canary
	for _, tt := range []struct {
		name, host, method, url, authorization, form string
		redirect                                     map[string]string // host to address, by 307
		at, want, err                                string
	}{
		{name: "bearer to the registry", url: "https://r.io/v2/", authorization: bearer, at: "r.io", want: bearer},
		{name: "basic to the registry", url: "https://r.io:443/v2/", authorization: basic, at: "r.io:443", want: basic},
		{name: "Docker Hub by another name", host: "docker.io", url: "https://index.docker.io/v2/", authorization: bearer, at: "index.docker.io", want: bearer},
		{name: "basic to the token server", url: "https://auth.r.io/token", authorization: basic, at: "auth.r.io", want: basic},
		{name: "form to the token server", method: "POST", url: "https://auth.r.io/token", form: form, at: "auth.r.io", want: form},
		{name: "form to the registry", method: "POST", url: "https://r.io/token", form: form, at: "r.io", want: form},
		{name: "token server's redirect to itself", url: "https://auth.r.io/old", authorization: basic, redirect: map[string]string{"auth.r.io/old": "https://auth.r.io/token"}, at: "auth.r.io", want: basic},

		{name: "basic elsewhere", url: "https://evil.test/token", authorization: basic, err: "not in the registry's domain"},
		{name: "basic in lower case", url: "https://evil.test/token", authorization: strings.ToLower(basic), err: "not in the registry's domain"},
		{name: "form elsewhere", method: "POST", url: "https://evil.test/token", form: form, err: "not in the registry's domain"},
		{name: "another port of the registry", url: "https://r.io:444/v2/", authorization: bearer, at: "r.io:444"},
		{name: "bearer elsewhere", url: "https://evil.test/v2/", authorization: bearer, at: "evil.test"},
		{name: "bearer to the token server", url: "https://auth.r.io/v2/", authorization: bearer, at: "auth.r.io"},
		{name: "blob elsewhere", url: "https://r.io/v2/blob", authorization: bearer, redirect: map[string]string{"r.io/v2/blob": "https://cdn.test/blob"}, at: "cdn.test"},
		{name: "blob at a neighbour", url: "https://r.io/v2/blob", authorization: bearer, redirect: map[string]string{"r.io/v2/blob": "https://cdn.r.io/blob"}, at: "cdn.r.io"},
		{name: "blob at a neighbour, with a password", url: "https://r.io/v2/blob", authorization: basic, redirect: map[string]string{"r.io/v2/blob": "https://cdn.r.io/blob"}, at: "cdn.r.io"},
		{name: "token server's redirect", url: "https://auth.r.io/token", authorization: basic, redirect: map[string]string{"auth.r.io/token": "https://evil.test/token"}, err: "token server auth.r.io redirects to evil.test"},
		{name: "token server's redirect to a neighbour", url: "https://auth.r.io/token", authorization: basic, redirect: map[string]string{"auth.r.io/token": "https://evil.r.io/token"}, err: "token server auth.r.io redirects to evil.r.io"},
		{name: "token server's redirect of a form", method: "POST", url: "https://auth.r.io/token", form: form, redirect: map[string]string{"auth.r.io/token": "https://evil.r.io/token"}, err: "token server auth.r.io redirects to evil.r.io"},
		{name: "registry's redirect of a form", method: "POST", url: "https://r.io/token", form: form, redirect: map[string]string{"r.io/token": "https://auth.r.io/token"}, err: "token server r.io redirects to auth.r.io"},
		{name: "plain", url: "http://r.io/v2/", authorization: bearer, err: "serve it over TLS, since insecure registries are not supported"},
		{name: "plain without anything", url: "http://r.io/v2/", err: "plain http"},
		{name: "downgrade", url: "https://r.io/v2/", authorization: bearer, redirect: map[string]string{"r.io/v2/": "http://r.io/v2/"}, err: "plain http"},
		{name: "downgrade elsewhere", url: "https://r.io/v2/", authorization: bearer, redirect: map[string]string{"r.io/v2/": "http://cdn.test/v2/"}, err: "plain http"},
		{name: "plain loopback of a remote registry", url: "https://r.io/v2/", redirect: map[string]string{"r.io/v2/": "http://127.0.0.1/v2/"}, err: "plain http"},
		{name: "plain loopback", host: "localhost", url: "http://localhost/v2/", authorization: bearer, at: "localhost", want: bearer},
		{name: "plain from the loopback", host: "localhost", url: "http://localhost/v2/", authorization: bearer, redirect: map[string]string{"localhost/v2/": "http://cdn.test/"}, err: "plain http"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hosts := map[string]http.HandlerFunc{}
			answer := func(w http.ResponseWriter, r *http.Request) {
				if to, ok := tt.redirect[r.Host+r.URL.Path]; ok {
					redirect(http.StatusTemporaryRedirect, to)(w, r)
				}
			}
			for _, host := range []string{"r.io", "r.io:443", "r.io:444", "auth.r.io", "evil.r.io", "cdn.r.io", "evil.test", "cdn.test", "index.docker.io", "localhost", "127.0.0.1"} {
				hosts[host] = answer
			}
			w := newWorld(t, hosts)
			if tt.host == "" {
				tt.host = "r.io"
			}
			_, err := send(t, w.base, tt.host, tt.method, tt.url, tt.authorization, tt.form)
			if (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), canary)) {
				t.Fatalf("got %v", err)
			}
			for _, host := range []string{"evil.test", "evil.r.io", "cdn.test", "cdn.r.io", "r.io:444", "127.0.0.1"} {
				w.wantNothing(t, host)
			}
			last := w.asked(tt.at)
			if tt.err == "" && (len(last) == 0 || last[len(last)-1].authorization+last[len(last)-1].form != tt.want) {
				t.Errorf("%s got %+v, want %q", tt.at, last, tt.want)
			}
			if tt.err != "" && len(w.seen) > len(tt.redirect) {
				t.Errorf("it was sent on: %+v", w.seen)
			}
		})
	}
}

// logged is what go-containerregistry logs.
func logged(t *testing.T) *bytes.Buffer {
	var text bytes.Buffer
	logs.Warn.SetOutput(&text)
	logs.Progress.SetOutput(&text)
	t.Cleanup(func() {
		logs.Warn.SetOutput(io.Discard)
		logs.Progress.SetOutput(io.Discard)
	})
	return &text
}

// TestLibrary has go-containerregistry meet registries that want its user's
// credentials sent elsewhere.
func TestLibrary(t *testing.T) {
	wants := func(challenge string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
	token := wants(`Bearer realm="https://auth.r.io/token",service="r.io"`)
	for _, tt := range []struct {
		name     string
		registry http.HandlerFunc
		server   http.HandlerFunc // auth.r.io
		want     string
	}{
		{"realm elsewhere", wants(`Bearer realm="https://evil.test/token",service="r.io"`), nil, "not in the registry's domain"},
		{"realm in plain", wants(`Bearer realm="http://auth.r.io/token",service="r.io"`), nil, "not allowed"},
		{"redirected realm", token, redirect(302, "https://evil.test/token"), "redirects to evil.test, another host"},
		{"realm redirected to a neighbour", token, redirect(307, "https://evil.r.io/token"), "redirects to evil.r.io, another host"},
		{"wrong password", token, answering(401, `{}`), "401"},
		{"no token", token, answering(200, `{}`), "no token"},
		{"too many", token, answering(429, `{}`), "429"},
		{"401 for ever", token, answering(200, `{"token": "t"}`), "401"},
		{"basic for ever", wants(`Basic realm="x"`), nil, "401"},
		{"redirected elsewhere", redirect(302, "https://evil.test/v2/"), nil, "404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := logged(t)
			w := newWorld(t, map[string]http.HandlerFunc{"r.io": tt.registry, "auth.r.io": tt.server})
			for _, config := range []string{`{"username": "me", "password": "` + canary + `"}`, `{"identitytoken": "` + canary + `"}`} {
				c := New(directory(t, `{"auths": {"r.io": `+config+`}}`), noHelper(t))
				err := remote.Write(name.MustParseReference("r.io/shop:v1"), empty.Image,
					remote.WithContext(t.Context()), remote.WithAuthFromKeychain(c.Keychain()), remote.WithTransport(Transport("r.io", w.base)),
					remote.WithRetryStatusCodes())
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error()+text.String(), canary) {
					t.Errorf("got %v, logged %s", err, text)
				}
			}
			w.wantNothing(t, "evil.test")
			w.wantNothing(t, "evil.r.io")
			if len(w.seen) > 30 {
				t.Errorf("%d requests", len(w.seen))
			}
		})
	}
}

func TestKeychain(t *testing.T) {
	c := New(directory(t, `{"auths": {"r.io": {"username": "u", "password": "p"}, "t.io": {"registrytoken": "t"}, "b.io": {"auth": "*"}}}`), noHelper(t))
	of := func(host string) authn.Resource {
		registry, err := name.NewRegistry(host)
		if err != nil {
			t.Fatal(err)
		}
		return registry
	}
	for host, want := range map[string]authn.AuthConfig{"r.io": {Username: "u", Password: "p"}, "t.io": {RegistryToken: "t"}, "x.io": {}} {
		found, err := c.Keychain().Resolve(of(host))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := found.Authorization(); err != nil || *got != want {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := c.Keychain().Resolve(of("b.io")); err == nil {
		t.Error("what is broken is taken for nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.turn <- struct{}{}
	if _, err := authn.Resolve(ctx, c.Keychain(), of("r.io")); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBaseWaitsForNobody(t *testing.T) {
	part := make([]byte, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(part)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	const limit = 200 * time.Millisecond
	// On a busy machine it may take longer to connect, and to answer at all.
	impatient := newHTTP(limit)
	impatient.DialContext = nil
	client := http.Client{Transport: impatient}
	if _, err := client.Get(server.URL + "/silent"); err == nil || !strings.Contains(err.Error(), "timeout awaiting response headers") {
		t.Errorf("silent: %v", err)
	}
	client.Transport = &patient{base: newHTTP(time.Hour), limit: limit}
	resp, err := client.Get(server.URL + "/stalls")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if _, ok := errors.AsType[*stalledError](err); !ok || len(got) != len(part) || err.Error() != "the registry has sent nothing for 200ms" {
		t.Errorf("stalls: %d bytes, %v", len(got), err)
	}
}

// TestNothingExpands has a registry pack its answer, asked for or not: it is read
// as it is sent.
func TestNothingExpands(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "packed")
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := newBase().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if got := <-asked; got != "" || err != nil || string(text) != "packed" {
		t.Errorf("asked for %q, got %q, %v", got, text, err)
	}
}
