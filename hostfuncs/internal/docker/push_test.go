package docker

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	engineregistry "github.com/docker/docker/api/types/registry"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// registryStandIn takes every push by me:secret, and remembers the manifest.
type registryStandIn struct {
	mu       sync.Mutex
	size     int            // of the upload under way
	blobs    map[string]int // sizes by digest
	manifest []byte
	unknown  []string // requests that it has no answer for
}

func (s *registryStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" {
		w.Header().Set("WWW-Authenticate", `Basic realm="stand-in"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	sum := sha256.Sum256(body)
	switch upload := "/v2/shop/blobs/uploads/"; {
	case r.URL.Path == "/v2/":
	case r.Method == http.MethodHead:
		size, ok := s.blobs[path.Base(r.URL.Path)]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Header().Set("Content-Length", fmt.Sprint(size))
	case r.Method == http.MethodPost && r.URL.Path == upload:
		w.Header().Set("Location", upload+"1")
		w.Header().Set("Docker-Upload-UUID", "1")
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPatch:
		s.size = len(body)
		w.Header().Set("Location", upload+"1")
		w.Header().Set("Docker-Upload-UUID", "1")
		w.Header().Set("Range", fmt.Sprintf("0-%d", len(body)-1))
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut && r.URL.Path == upload+"1":
		s.blobs[r.URL.Query().Get("digest")] = s.size
		w.Header().Set("Docker-Content-Digest", r.URL.Query().Get("digest"))
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut && r.URL.Path == "/v2/shop/manifests/v1":
		s.manifest = body
		w.Header().Set("Docker-Content-Digest", "sha256:"+hex.EncodeToString(sum[:]))
		w.WriteHeader(http.StatusCreated)
	default:
		s.unknown = append(s.unknown, r.Method+" "+r.RequestURI)
		w.WriteHeader(http.StatusNotFound)
	}
}

func writeAuth(t *testing.T, dir, host, user, password string) {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, auth)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPush(t *testing.T) { eachEngine(t, testPush) }

func testPush(t *testing.T, e *Engine) {
	dir := t.TempDir()
	stand := &registryStandIn{blobs: map[string]int{}}
	server := httptest.NewServer(stand)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	b := toolContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY tool /tool\n"})
	ref := host + "/shop:v1"
	b.Tags = []string{ref}
	mustBuild(t, e, b)

	for name, prepare := range map[string]func(){
		"without credentials":        func() {},
		"another host's credentials": func() { writeAuth(t, dir, "elsewhere.test", "me", "secret") },
		"with credentials not known": func() { writeAuth(t, dir, host, "me", "wrong") },
		"with broken credentials":    func() { os.WriteFile(registry.File(dir), []byte("{"), 0o600) },
	} {
		prepare()
		e.Credentials = registry.New(func(string) string { return dir }, nil)
		if _, err := e.Push(t.Context(), ref, nil); err == nil || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: got %v", name, err)
		}
		os.Remove(registry.File(dir))
	}
	if stand.manifest != nil {
		t.Fatal("it was pushed")
	}

	writeAuth(t, dir, host, "me", "secret")
	e.Credentials = registry.New(func(string) string { return dir }, nil)
	var progress strings.Builder
	digest, err := e.Push(t.Context(), ref, &progress)
	if err != nil {
		t.Fatalf("%v\n%s%q", err, progress.String(), stand.unknown)
	}
	sum := sha256.Sum256(stand.manifest)
	if want := "sha256:" + hex.EncodeToString(sum[:]); digest != want {
		t.Errorf("digest %s, want %s", digest, want)
	}
	if done := regexp.MustCompile(`: Pushed\n|: digest: `); !done.MatchString(progress.String()) || strings.Count(progress.String(), "\n") > 10 {
		t.Errorf("progress:\n%s", progress.String())
	}
}

func TestPushImageThatIsNotThere(t *testing.T) { eachEngine(t, testPushImageThatIsNotThere) }

func testPushImageThatIsNotThere(t *testing.T, e *Engine) {
	_, err := e.Push(t.Context(), "127.0.0.1:1/never:built", nil)
	refused, ok := errors.AsType[*PushError](err)
	if words := regexp.MustCompile(`does not exist locally|tag does not exist|image not known`); !ok || refused.Ref != "127.0.0.1:1/never:built" || !words.MatchString(refused.Message) {
		t.Errorf("got %v", err)
	}
}

// TestPushSendsOneHostsCredentials looks at what an engine gets to see.
func TestPushSendsOneHostsCredentials(t *testing.T) {
	var got *engineregistry.AuthConfig
	env := standIn(t, "/images/r.io/shop/push", func(w http.ResponseWriter, r *http.Request) {
		var err error
		if got, err = engineregistry.DecodeAuthConfig(r.Header.Get(engineregistry.AuthHeader)); err != nil {
			t.Error(err)
		}
		if r.URL.Query().Get("tag") != "latest" {
			t.Errorf("tag %s", r.URL.Query().Get("tag"))
		}
		answering(200, `{"status":"latest: digest: x"}`+"\n"+`{"aux":{"Tag":"latest","Digest":"`+anID+`","Size":1}}`)(w, r)
	})
	text := `{"credHelpers": {"r.io": "fake"}, "auths": {"r.io": {"username": "old"}, "x.io": {"username": "x", "password": "y"}}}`
	imagetest.Write(t, env["DOCKER_CONFIG"], map[string]string{"config.json": text})
	e := connected(t, env)
	e.Credentials = registry.New(func(name string) string { return env[name] },
		func(_ context.Context, program string, _ []string, host string) ([]byte, int, error) {
			if program != "docker-credential-fake" || host != "r.io" {
				t.Errorf("%s is asked for %s", program, host)
			}
			return []byte(`{"Username": "u", "Secret": "p"}`), 0, nil
		})
	digest, err := e.Push(t.Context(), "r.io/shop", nil)
	if err != nil || digest != anID {
		t.Errorf("got %s, %v", digest, err)
	}
	if want := (engineregistry.AuthConfig{Username: "u", Password: "p", ServerAddress: "r.io"}); *got != want {
		t.Errorf("the engine got %+v", *got)
	}
}

func TestPushWithoutItsCredentials(t *testing.T) {
	env := standIn(t, "/", nil)
	imagetest.Write(t, env["DOCKER_CONFIG"], map[string]string{"config.json": `{"credsStore": "fake"}`})
	e := connected(t, env)
	ctx, cancel := context.WithCancel(t.Context())
	e.Credentials = registry.New(func(name string) string { return env[name] },
		func(context.Context, string, []string, string) ([]byte, int, error) { return nil, 1, nil })
	if _, err := e.Push(ctx, "r.io/shop", nil); err == nil || !strings.HasPrefix(err.Error(), "push r.io/shop: ") || !strings.Contains(err.Error(), "docker-credential-fake") {
		t.Errorf("got %v", err)
	}
	cancel()
	if _, err := e.Push(ctx, "r.io/shop", nil); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestPushBrokenAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answer  http.HandlerFunc
		refused bool
		err     string
	}{
		{"no digest", answering(200, `{"status":"done"}`), true, "the engine did not return a digest"},
		{"a strange digest", answering(200, `{"aux":{"Digest":"x"}}`), true, "the engine did not return a digest"},
		{"a digest in the middle", answering(200, `{"status":"see latest: digest: `+anID+` size: 1"}`), true, "the engine did not return a digest"},
		{"denied", answering(200, `{"errorDetail":{"message":"\u001b[1mdenied"}}`), true, "push r.io/shop: denied"},
		{"refused", answering(404, `{"message":"no such image"}`), true, "push r.io/shop: no such image"},
		{"no JSON", answering(200, "<html>"), false, "cannot read its answer"},
		{"cut off", func(w http.ResponseWriter, r *http.Request) {
			answering(200, "{}\n")(w, r)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, false, "unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := connected(t, standIn(t, "/images/r.io/shop/push", tt.answer)).Push(t.Context(), "r.io/shop", nil)
			_, refused := errors.AsType[*PushError](err)
			if refused != tt.refused || err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := connected(t, standIn(t, "/", nil)).Push(t.Context(), "NOT", nil); err == nil {
		t.Error("a wrong tag is pushed")
	}
}

func TestPushCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := connected(t, standIn(t, "/images/r.io/shop/push", func(w http.ResponseWriter, r *http.Request) {
		answering(200, "{}\n")(w, r)
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	if _, err := e.Push(ctx, "r.io/shop", nil); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestPushEngineGoesAway(t *testing.T) {
	e := connected(t, standIn(t, "/images/r.io/shop/push", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	_, err := e.Push(t.Context(), "r.io/shop", nil)
	if _, ok := errors.AsType[*UnavailableError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// TestPushDigest has the digest in all the places where engines have it.
func TestPushDigest(t *testing.T) {
	for name, answer := range map[string]string{
		"Docker's own store":       `{"status":"1: digest: ` + anID + ` size: 524"}` + "\n" + `{"progressDetail":{},"aux":{"Tag":"1","Digest":"` + anID + `","Size":524}}`,
		"containerd's store":       `{"status":"Pushed","progressDetail":{},"id":"7daa06370150"}` + "\n" + `{"status":"1: digest: ` + anID + ` size: 531"}`,
		"one of several platforms": `{"aux":{"ManifestPushedInsteadOfIndex":true,"SelectedManifest":{"digest":"` + anID + `"}}}` + "\n" + `{"status":"1: digest: ` + anID + ` size: 531"}`,
	} {
		digest, err := connected(t, standIn(t, "/images/r.io/shop/push", answering(200, answer))).Push(t.Context(), "r.io/shop:1", nil)
		if err != nil || digest != anID {
			t.Errorf("%s: got %s, %v", name, digest, err)
		}
	}
}

// TestPushImageAgain has an engine push what another build gave the name to: the
// image gets the name again, a few times.
func TestPushImageAgain(t *testing.T) {
	for right, want := range map[int]string{1: "", 3: "", 99: "other builds use this name for their images"} {
		tagged := 0
		e := connected(t, serveSocket(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/_ping":
				w.Header().Set("Api-Version", "1.41")
			case "/v1.41/version":
				answering(200, `{"Components": [{"Name": "Engine"}]}`)(w, r)
			case "/v1.41/images/" + anID + "/tag":
				tagged++
				w.WriteHeader(http.StatusCreated)
			case "/v1.41/images/r.io/shop/push":
				answering(200, `{"aux":{"Digest":"`+anID+`"}}`)(w, r)
			case "/v1.41/images/" + anID + "/json":
				known := "r.io/shop@sha256:other"
				if tagged >= right {
					known = "r.io/shop@" + anID
				}
				answering(200, `{"Id":"`+anID+`","RepoDigests":["`+known+`"]}`)(w, r)
			default:
				t.Errorf("asked for %s", r.URL.Path)
			}
		}))
		digest, err := e.PushImage(t.Context(), anID, "r.io/shop", nil)
		if want == "" && (err != nil || digest != anID || tagged != right) {
			t.Errorf("%q, %v, named %d times, want %d", digest, err, tagged, right)
		}
		if _, ok := errors.AsType[*PushError](err); want != "" && (!ok || !strings.Contains(err.Error(), want) || tagged != pushTries) {
			t.Errorf("got %v, named %d times", err, tagged)
		}
	}
}
