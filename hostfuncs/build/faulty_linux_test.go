package build

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry/registrytest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// front is a registry that is a real one, but for what a test has it do.
type front struct {
	host string
	pass http.Handler // the real one

	mu    sync.Mutex
	fault fault
}

// fault answers a request in place of the registry, or leaves it to it.
type fault func(f *front, w http.ResponseWriter, r *http.Request) (answered bool)

// newFront is before a registry at a host.
func newFront(t *testing.T, behind string) *front {
	t.Helper()
	f := &front{}
	f.pass = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: behind})
			// It names itself by the host that it was asked as.
			r.Out.Host = r.In.Host
		},
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.host = strings.TrimPrefix(server.URL, "http://")
	return f
}

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()
	if fault == nil || !fault(f, w, r) {
		f.pass.ServeHTTP(w, r)
	}
}

// has gives the registry a fault, nil for none.
func (f *front) has(fault fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// answers has requests answered with a status, as registries do it.
func answers(status int, code, method, path string) fault {
	return func(_ *front, w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.Method, method) || !strings.Contains(r.URL.Path, path) {
			return false
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"errors": [{"code": %q, "message": "said for a test"}]}`, code)
		return true
	}
}

// times has a fault go away after n of it.
func times(n int, f fault) fault {
	var mu sync.Mutex
	return func(at *front, w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if n > 0 && f(at, w, r) {
			n--
			return true
		}
		return false
	}
}

// partly has layers end in the middle; a registry that tells sizes has promised
// all of it.
func partly(tells bool) fault {
	return func(f *front, w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		whole := httptest.NewRecorder()
		f.pass.ServeHTTP(whole, r)
		size := whole.Body.Len()
		if size < 1<<16 {
			// It is the configuration.
			return false
		}
		if tells {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		_, _ = w.Write(whole.Body.Bytes()[:size/2])
		return true
	}
}

// hangsUp has a connection end without an answer.
func hangsUp(method, path string) fault {
	return func(_ *front, w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.Method, method) || !strings.Contains(r.URL.Path, path) {
			return false
		}
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			c.Close()
		}
		return true
	}
}

// base pushes an image with a layer of some size, and returns its reference.
func (f *front) base(t *testing.T, r rig) string {
	t.Helper()
	f.has(nil)
	ref := f.host + "/team/base:1"
	hosttest.As[abi.DockerBuildResult](t, r.site(t, embeddedKind, noise(1)).build(t.Context(), t, ref, true))
	return ref
}

// TestFaultyPull takes a base image from a registry that fails.
func TestFaultyPull(t *testing.T) { eachRig(t, testFaultyPull) }

func testFaultyPull(t *testing.T, r rig) {
	for _, tt := range []struct {
		name  string
		fault fault
		said  string // by the registry
		// ours is for the embedded builder alone: the others try for minutes.
		ours bool
	}{
		{name: "401", fault: answers(401, "UNAUTHORIZED", "", "/v2/"), said: "unauthorized"},
		{name: "403", fault: answers(403, "DENIED", "", "/manifests/"), said: ""},
		{name: "404", fault: answers(404, "MANIFEST_UNKNOWN", "", "/manifests/"), said: ""},
		{name: "429", fault: answers(429, "TOOMANYREQUESTS", "", "/manifests/"), said: "too", ours: r.about.Podman},
		{name: "500", fault: answers(500, "UNKNOWN", "", "/manifests/"), said: ""},
		{name: "500 blob", fault: answers(500, "UNKNOWN", "GET", "/blobs/"), said: "said for a test", ours: true},
		{name: "half a blob", fault: partly(true), said: "unexpected EOF", ours: true},
		{name: "a short blob", fault: partly(false), said: "error verifying size", ours: true},
		{name: "hangs up", fault: hangsUp("", "/manifests/"), said: "EOF"},
	} {
		for _, engine := range r.all() {
			if tt.ours && engine != embeddedKind {
				continue
			}
			t.Run(tt.name+" "+string(engine.Kind), func(t *testing.T) {
				t.Parallel()
				f := newFront(t, providertest.Registry(t, ""))
				s := r.onBase(t, f, engine)
				f.has(tt.fault)
				reply := s.build(t.Context(), t, "shop:faulty", false)
				s.wantLine(t, reply, abi.CodeFailed, f.host, "app/Dockerfile")
				if reply.Error != nil && !strings.Contains(strings.ToLower(reply.Error.Message), strings.ToLower(tt.said)) {
					t.Errorf("%q does not say what the registry said", reply.Error.Message)
				}
			})
		}
	}
}

// onBase is a site of an image that must know all of a base image's files.
func (r rig) onBase(t *testing.T, f *front, e Engine) site {
	t.Helper()
	ref := f.base(t, r)
	s := r.site(t, e, map[string]string{"Dockerfile": "FROM " + ref + "\nCOPY --from=" + ref + " /noise /again\n"})
	if e == embeddedKind {
		s.outputs(imagetest.Dir(t))
	}
	return s
}

// TestFaultyPush pushes to a registry that fails.
func TestFaultyPush(t *testing.T) { eachRig(t, testFaultyPush) }

func testFaultyPush(t *testing.T, r rig) {
	for _, tt := range []struct {
		name  string
		fault fault
		ours  bool
	}{
		{name: "401", fault: answers(401, "UNAUTHORIZED", "", "/v2/")},
		{name: "429", fault: answers(429, "TOOMANYREQUESTS", "PUT", "/manifests/")},
		{name: "500", fault: answers(500, "UNKNOWN", "PUT", "/manifests/")},
		{name: "500 blob", fault: answers(500, "UNKNOWN", "", "/blobs/uploads/"), ours: true},
		{name: "hangs up", fault: hangsUp("PUT", "/manifests/")},
	} {
		for _, engine := range r.all() {
			if tt.ours && engine != embeddedKind {
				continue
			}
			t.Run(tt.name+" "+string(engine.Kind), func(t *testing.T) {
				t.Parallel()
				f := newFront(t, providertest.Registry(t, ""))
				f.has(tt.fault)
				s := r.site(t, engine, noise(1))
				s.wantLine(t, s.build(t.Context(), t, f.host+"/team/shop:1", true), abi.CodeFailed, f.host)
			})
		}
	}
}

// TestRegistryRecovers has a registry fail for a while: what the user sees is an
// image.
func TestRegistryRecovers(t *testing.T) {
	r := rig{host: "unix:///none.sock", config: t.TempDir()}
	for name, fault := range map[string]fault{
		"429":           times(4, busy),
		"500":           times(1, answers(500, "UNKNOWN", "", "")),
		"hangs up":      times(1, hangsUp("", "/manifests/")),
		"hangs up blob": times(1, hangsUp("", "/blobs/")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, providertest.Registry(t, ""))
			s := r.onBase(t, f, embeddedKind)
			f.has(fault)
			tag := f.host + "/team/shop:1"
			built := hosttest.As[abi.DockerBuildResult](t, s.build(t.Context(), t, tag, true))
			if got := digestOf(t, tag); got != built.Digest {
				t.Errorf("the registry has %s, built was %s", got, built.Digest)
			}
		})
	}
}

// busy is a registry that is asked too much, and says that it can be asked again.
func busy(_ *front, w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(http.StatusTooManyRequests)
	return true
}

// TestBlobsElsewhere takes a base image whose blobs another host has: nobody's
// password goes there.
func TestBlobsElsewhere(t *testing.T) { eachRig(t, testBlobsElsewhere) }

func testBlobsElsewhere(t *testing.T, r rig) {
	f := newFront(t, registrytest.Basic(t, "me", "secret").Host)
	r.config = dockerConfig(t, f.host, "me", "secret")
	var showed []string
	var mu sync.Mutex
	blobs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		showed = append(showed, r.Header.Get("Authorization"))
		mu.Unlock()
		r.SetBasicAuth("me", "secret")
		f.pass.ServeHTTP(w, r)
	}))
	t.Cleanup(blobs.Close)
	// By another name: clients take another port for the same host.
	elsewhere := strings.Replace(blobs.URL, "127.0.0.1", "localhost", 1)
	for _, engine := range r.all() {
		t.Run(string(engine.Kind), func(t *testing.T) {
			s := r.onBase(t, f, engine)
			f.has(func(_ *front, w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") || r.Header.Get("Authorization") == "" {
					return false
				}
				http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
				return true
			})
			reply := s.build(t.Context(), t, "shop:elsewhere", false)
			if engine.Kind == Docker && !r.about.BuildKit {
				// By the classic build API an engine gets no password to pull with.
				s.wantLine(t, reply, abi.CodeFailed, "unauthorized")
				return
			}
			hosttest.As[abi.DockerBuildResult](t, reply)
			mu.Lock()
			defer mu.Unlock()
			if len(showed) == 0 || strings.Join(showed, "") != "" {
				t.Errorf("the other host was shown %q", showed)
			}
			showed = nil
		})
	}
}
