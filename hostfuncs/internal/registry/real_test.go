package registry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry/registrytest"
)

// options are those that an embedded builder has.
func options(t *testing.T, host, user, password string) []remote.Option {
	t.Helper()
	config := `{"auths": {"` + host + `": {"username": "` + user + `", "password": "` + password + `"}}}`
	if user == "" {
		config = `{}`
	}
	c := New(directory(t, config), noHelper(t))
	return []remote.Option{
		remote.WithContext(t.Context()), remote.WithAuthFromKeychain(c.Keychain()),
		remote.WithTransport(Transport(host, nil)), remote.WithRetryStatusCodes(),
	}
}

func anImage(t *testing.T) (v1.Image, v1.Hash) {
	t.Helper()
	image, err := random.Image(1<<16, 2)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return image, digest
}

// read reads all of an image, as a build would.
func read(ref name.Reference, o []remote.Option) (v1.Hash, error) {
	image, err := remote.Image(ref, o...)
	if err != nil {
		return v1.Hash{}, err
	}
	layers, err := image.Layers()
	if err != nil {
		return v1.Hash{}, err
	}
	for _, layer := range layers {
		body, err := layer.Compressed()
		if err != nil {
			return v1.Hash{}, err
		}
		_, err = io.Copy(io.Discard, body)
		body.Close()
		if err != nil {
			return v1.Hash{}, err
		}
	}
	return image.Digest()
}

func TestRealRegistry(t *testing.T) {
	for kind, start := range map[string]func(*testing.T, string, string) registrytest.Registry{"basic": registrytest.Basic, "token": registrytest.Token} {
		t.Run(kind, func(t *testing.T) {
			r := start(t, "me", canary)
			image, want := anImage(t)
			ref := parse(t, r.Host+"/team/shop:v1")
			right := options(t, r.Host, "me", canary)
			if err := remote.Write(ref, image, right...); err != nil {
				t.Fatal(err)
			}
			if got, err := read(ref, right); err != nil || got != want {
				t.Errorf("read %v, %v", got, err)
			}
			for who, o := range map[string][]remote.Option{
				"nobody": options(t, r.Host, "", ""), "a wrong password": options(t, r.Host, "me", canary+"x"),
				"another host's": append(options(t, "127.0.0.1:1", "me", canary), remote.WithTransport(Transport(r.Host, nil))),
			} {
				if _, err := read(ref, o); err == nil || !strings.Contains(strings.ToLower(err.Error()), "unauthorized") || strings.Contains(err.Error(), canary) {
					t.Errorf("%s reads it: %v", who, err)
				}
				if err := remote.Write(ref, image, o...); err == nil || strings.Contains(err.Error(), canary) {
					t.Errorf("%s writes it: %v", who, err)
				}
			}
			missing := parse(t, r.Host+"/team/none:v1")
			if _, err := read(missing, right); err == nil || !strings.Contains(err.Error(), "MANIFEST_UNKNOWN") {
				t.Errorf("what isn't there: %v", err)
			}
		})
	}
}

// TestRealTokens exchanges tokens with a server whose tokens a real registry
// checks.
func TestRealTokens(t *testing.T) {
	r := registrytest.Token(t, "me", canary)
	client := NewClient(nil)
	if gives, err := client.GivesTokens(t.Context(), r.Host); err != nil || !gives {
		t.Errorf("it gives tokens: %v, %v", gives, err)
	}
	want := TokenRequest{Host: r.Host, Realm: r.Tokens.URL + "/token", Service: "test-service", Scopes: []string{"repository:shop:pull"}}
	token, err := client.FetchToken(t.Context(), password, want)
	if err != nil {
		t.Fatal(err)
	}
	status := func(path string) int {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Host+path, nil)
		req.Header.Set("Authorization", "Bearer "+token.Value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := []int{status("/v2/shop/tags/list"), status("/v2/other/tags/list")}; !slices.Equal(got, []int{404, 401}) {
		t.Errorf("the token opens %v", got)
	}
	if _, err := client.FetchToken(t.Context(), Auth{Username: "me", Password: "x"}, want); err == nil || !strings.Contains(err.Error(), "refuses the credentials") {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestRealRegistryTakesPasswords(t *testing.T) {
	r := registrytest.Basic(t, "me", canary)
	if gives, err := NewClient(nil).GivesTokens(t.Context(), r.Host); err != nil || gives {
		t.Errorf("it gives tokens: %v, %v", gives, err)
	}
}

// TestRealBlobs has blobs of a real registry redirected elsewhere, and cut off.
func TestRealBlobs(t *testing.T) {
	for _, kind := range []func(*testing.T, string, string) registrytest.Registry{registrytest.Basic, registrytest.Token} {
		r := kind(t, "me", canary)
		image, want := anImage(t)
		if err := remote.Write(parse(t, r.Host+"/shop:v1"), image, options(t, r.Host, "me", canary)...); err != nil {
			t.Fatal(err)
		}
		front := newFront(t, r.Host, image)
		ref := parse(t, front.host+"/shop:v1")
		o := options(t, front.host, "me", canary)
		if got, err := read(ref, o); err != nil || got != want {
			t.Errorf("read %v, %v", got, err)
		}
		if len(front.elsewhere) == 0 {
			t.Error("no blob was asked for elsewhere")
		}
		for _, header := range front.elsewhere {
			if header.Get("Authorization") != "" {
				t.Error("what keeps the blobs got the credentials")
			}
		}
		front.mu.Lock()
		front.cut = true
		front.mu.Unlock()
		if _, err := read(ref, o); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("a blob that is cut off: %v", err)
		}
	}
}

// front is a registry before another one, whose blobs are elsewhere.
type front struct {
	host      string
	mu        sync.Mutex
	elsewhere []http.Header // of requests for blobs
	cut       bool
}

func newFront(t *testing.T, behind string, image v1.Image) *front {
	f := &front{}
	blobs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.elsewhere = append(f.elsewhere, r.Header)
		hash, err := v1.NewHash(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			t.Error(err)
		}
		layer, err := image.LayerByDigest(hash)
		if err != nil {
			t.Error(err)
			return
		}
		body, _ := layer.Compressed()
		text, _ := io.ReadAll(body)
		if f.cut {
			text = text[:len(text)/2]
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(blobs.Close)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: behind})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, digest, ok := strings.Cut(r.URL.Path, "/blobs/"); ok && r.Method == http.MethodGet && r.Header.Get("Authorization") != "" {
			http.Redirect(w, r, blobs.URL+"/"+digest, http.StatusTemporaryRedirect)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.host = strings.TrimPrefix(server.URL, "http://")
	return f
}

func parse(t *testing.T, ref string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
