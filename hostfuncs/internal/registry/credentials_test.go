package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// canary is the secret of all tests here, which must be in no error.
const canary = "canary-5ecret"

// directory is a configuration's, with that config.json.
func directory(t *testing.T, text string) func(string) string {
	t.Helper()
	dir := t.TempDir()
	if text != "" {
		if err := os.WriteFile(File(dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return map[string]string{"DOCKER_CONFIG": dir}[name] }
}

// helpers answer by "PROGRAM SERVER", and count.
type helpers struct {
	mu     sync.Mutex
	answer map[string]string
	asked  []string
}

func (h *helpers) run(_ context.Context, program string, args []string, stdin string) ([]byte, int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, program+" "+strings.Join(args, " ")+" "+stdin)
	answer, ok := h.answer[program+" "+stdin]
	switch {
	case !ok:
		return []byte("credentials not found in native keychain\n"), 1, nil
	case strings.HasPrefix(answer, "{"):
		return []byte(answer), 0, nil
	}
	return []byte(answer), 1, nil
}

func noHelper(t *testing.T) Run {
	return func(_ context.Context, program string, _ []string, _ string) ([]byte, int, error) {
		t.Errorf("%s is run", program)
		return nil, 1, nil
	}
}

func TestLookup(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("me:pass:word"))
	answers := map[string]string{
		"docker-credential-a r.io":                        `{"ServerURL": "r.io", "Username": "a", "Secret": "s"}`,
		"docker-credential-a https://index.docker.io/v1/": `{"ServerURL": "https://index.docker.io/v1/", "Username": "hub", "Secret": "s"}`,
		"docker-credential-a x.io":                        `{"Username": "x", "Secret": "s"}`,
		"docker-credential-t r.io":                        `{"Username": "<token>", "Secret": "it"}`,
	}
	a := Auth{Username: "a", Password: "s"}
	for _, tt := range []struct {
		name, config, host string
		want               Auth
	}{
		{"no file", "", "r.io", Auth{}},
		{"none", `{}`, "r.io", Auth{}},
		{"another host's", `{"auths": {"r.io:5000": {"auth": "` + encoded + `"}, "x.r.io": {"username": "x"}, "io": {"username": "x"}}}`, "r.io", Auth{}},
		{"another port's", `{"auths": {"r.io": {"username": "x"}}}`, "r.io:5000", Auth{}},
		{"encoded", `{"auths": {"r.io": {"auth": "` + encoded + `"}}}`, "r.io", Auth{Username: "me", Password: "pass:word"}},
		{"in capitals", `{"auths": {"r.io": {"auth": "` + encoded + `"}}}`, "R.io", Auth{Username: "me", Password: "pass:word"}},
		{"with a port", `{"auths": {"r.io:5000": {"auth": "` + encoded + `"}}}`, "r.io:5000", Auth{Username: "me", Password: "pass:word"}},
		{"plain", `{"auths": {"r.io": {"username": "u", "password": "p"}}}`, "r.io", Auth{Username: "u", Password: "p"}},
		{"identity token", `{"auths": {"r.io": {"identitytoken": "t"}}}`, "r.io", Auth{IdentityToken: "t"}},
		{"registry token", `{"auths": {"r.io": {"registrytoken": "t"}}}`, "r.io", Auth{RegistryToken: "t"}},
		{"as a URL", `{"auths": {"https://r.io/v1/": {"username": "u"}}}`, "r.io", Auth{Username: "u"}},
		{"Docker Hub", `{"auths": {"https://index.docker.io/v1/": {"username": "u"}}}`, "docker.io", Auth{Username: "u"}},
		{"Docker Hub's registry", `{"auths": {"https://index.docker.io/v1/": {"username": "u"}}}`, "registry-1.docker.io", Auth{Username: "u"}},
		{"helper", `{"credHelpers": {"r.io": "a"}}`, "r.io", a},
		{"helper before store and entry", `{"credHelpers": {"r.io": "a"}, "credsStore": "t", "auths": {"r.io": {"username": "u"}}}`, "r.io", a},
		{"helper that has none", `{"credHelpers": {"r.io": "none"}, "auths": {"r.io": {"username": "u"}}}`, "r.io", Auth{}},
		{"another host's helper", `{"credHelpers": {"x.io": "a"}}`, "r.io", Auth{}},
		{"helper's token", `{"credHelpers": {"r.io": "t"}}`, "r.io", Auth{IdentityToken: "it"}},
		{"store", `{"credsStore": "a", "auths": {"r.io": {}}}`, "r.io", a},
		{"store before an entry", `{"credsStore": "a", "auths": {"r.io": {"username": "u"}}}`, "r.io", a},
		{"store that has others", `{"credsStore": "a"}`, "y.io", Auth{}},
		{"store that has none, and an entry", `{"credsStore": "a", "auths": {"y.io": {"username": "u"}}}`, "y.io", Auth{Username: "u"}},
		{"store for Docker Hub", `{"credsStore": "a"}`, "docker.io", Auth{Username: "hub", Password: "s"}},
		{"helper for Docker Hub", `{"credHelpers": {"https://index.docker.io/v1/": "a"}}`, "docker.io", Auth{Username: "hub", Password: "s"}},
		{"unknown fields", `{"future": [1], "auths": {"r.io": {"username": "u", "future": {}}}}`, "r.io", Auth{Username: "u"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &helpers{answer: answers}
			got, err := New(directory(t, tt.config), h.run).Lookup(t.Context(), tt.host)
			if err != nil || got != tt.want {
				t.Errorf("got %#v, %v", map[string]string{"user": got.Username, "password": got.Password, "identity": got.IdentityToken}, err)
			}
			for _, asked := range h.asked {
				if server := strings.Fields(asked)[2]; serverHost(server) != Canonical(tt.host) {
					t.Errorf("a helper was asked for %s", server)
				}
			}
		})
	}
}

func TestLookupRefused(t *testing.T) {
	for _, tt := range []struct{ name, config, answer, want string }{
		{"no JSON", `{"auths": "` + canary, "", "config.json: unexpected end of JSON input; correct that file"},
		{"wrong type", `{"auths": {"r.io": {"password": ["` + canary + `"]}}}`, "", "cannot unmarshal array"},
		{"huge", `{"x": "` + strings.Repeat(" ", 1<<20) + `"}`, "", "config.json is larger than 1 MiB"},
		{"no base64", `{"auths": {"r.io": {"auth": "` + canary + `"}}}`, "", "config.json: the credentials for r.io: auth is not base64; run `docker login r.io`"},
		{"no password", `{"auths": {"r.io": {"auth": "` + base64.StdEncoding.EncodeToString([]byte(canary)) + `"}}}`, "", "auth is not user:password"},
		{"helper's name", `{"credHelpers": {"r.io": "../x"}}`, "", `"../x" is not the name of a helper; correct that file`},
		{"helper's name of lines", `{"credsStore": "x\ny"}`, "", "is not the name of a helper"},
		{"helper that fails", `{"credHelpers": {"r.io": "h"}}`, canary, "docker-credential-h failed with exit code 1; see what `echo r.io | docker-credential-h get` says"},
		{"store that fails", `{"credsStore": "h", "auths": {"r.io": {"username": "u"}}}`, canary, "docker-credential-h failed"},
		{"garbage", `{"credsStore": "h"}`, "{" + canary, "docker-credential-h: its answer is not JSON as in the protocol; see what"},
		{"two answers", `{"credsStore": "h"}`, `{"Username": "u", "Secret": "` + canary + `"}{}`, "not JSON as in the protocol"},
		{"wrong types", `{"credsStore": "h"}`, `{"Username": "u", "Secret": ["` + canary + `"]}`, "not JSON as in the protocol"},
		{"no secret", `{"credsStore": "h"}`, `{"Username": "` + canary + `"}`, "its answer has no secret"},
		{"another server", `{"credsStore": "h"}`, `{"ServerURL": "https://x.io", "Username": "u", "Secret": "` + canary + `"}`, "its answer is about another server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &helpers{answer: map[string]string{"docker-credential-h r.io": tt.answer}}
			got, err := New(directory(t, tt.config), h.run).Lookup(t.Context(), "r.io")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "config.json") || !got.None() {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the secret is in %q", err)
			}
		})
	}
}

func TestLookupNoHost(t *testing.T) {
	c := New(directory(t, `{"credsStore": "h"}`), noHelper(t))
	for _, host := range []string{"", "r.io/x", "https://r.io", "a\nb", "r.io:", "u@r.io", "r.io:123456", "[::1", " r.io"} {
		if _, err := c.Lookup(t.Context(), host); err == nil || !strings.Contains(err.Error(), "is not the host of a registry") {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestLookupKeeps(t *testing.T) {
	h := &helpers{answer: map[string]string{"docker-credential-h r.io": `{"Username": "u", "Secret": "s"}`}}
	c := New(directory(t, `{"credsStore": "h"}`), h.run)
	now := time.Now()
	c.now = func() time.Time { return now }
	look := func(host string) {
		t.Helper()
		if _, err := c.Lookup(t.Context(), host); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { look("r.io") })
	}
	all.Wait()
	look("x.io")
	if len(h.asked) != 2 {
		t.Errorf("asked %q", h.asked)
	}
	now = now.Add(keptFor)
	look("r.io")
	if len(h.asked) != 3 {
		t.Errorf("later asked %q", h.asked)
	}
}

// TestLookupEnds has a helper that does not answer, and another that waits for
// its turn.
func TestLookupEnds(t *testing.T) {
	running := make(chan struct{})
	c := New(directory(t, `{"credsStore": "h"}`), func(ctx context.Context, _ string, _ []string, _ string) ([]byte, int, error) {
		close(running)
		<-ctx.Done()
		return nil, 0, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Lookup(ctx, "r.io")
		ended <- err
	}()
	<-running
	waiting, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Lookup(waiting, "x.io"); err != context.Canceled {
		t.Errorf("the one that waits: %v", err)
	}
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestLookupHelperThatCantRun(t *testing.T) {
	missing := errors.New("docker-credential-h: not found in PATH")
	c := New(directory(t, `{"credsStore": "h"}`), func(context.Context, string, []string, string) ([]byte, int, error) {
		return nil, 0, missing
	})
	for range 2 { // an error is not kept
		_, err := c.Lookup(t.Context(), "r.io")
		if !errors.Is(err, missing) || !strings.Contains(err.Error(), "check that it works, or remove it from that file") {
			t.Errorf("got %v", err)
		}
	}
}

func TestDirectory(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"DOCKER_CONFIG": "/d", "HOME": "/h", "USERPROFILE": "/h"}, "/d"},
		{map[string]string{"HOME": "/h", "USERPROFILE": "/h"}, filepath.Join("/h", ".docker")},
		{nil, ""},
	} {
		if got := Directory(func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%v: %s", tt.env, got)
		}
	}
	got, err := New(func(string) string { return "" }, noHelper(t)).Lookup(t.Context(), "r.io")
	if err != nil || !got.None() {
		t.Errorf("without a directory: %v, %v", got, err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	auth := Auth{Username: canary, Password: canary, IdentityToken: canary, RegistryToken: canary}
	token := Token{Value: canary}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{auth, &auth, token, &token, []Auth{auth}, struct{ A Auth }{auth}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s of %T: %s", verb, value, text)
			}
		}
	}
	if text := fmt.Sprint(Auth{}); text != "no credentials" {
		t.Error(text)
	}
}

func FuzzHelperAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"ServerURL": "r.io", "Username": "u", "Secret": "s"}`, `{"Username": "<token>", "Secret": "s"}`, `{"ServerURL": "https://x.io/v1/"}`,
		"credentials not found in native keychain", "", "{", "[]", "null",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		auth, err := parseAnswer(text, "r.io")
		if err != nil && !auth.None() {
			t.Errorf("credentials beside %v", err)
		}
		if err == nil && auth.Password == "" && auth.IdentityToken == "" {
			t.Error("neither secret nor error")
		}
	})
}

func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		`{"auths": {"r.io": {"auth": "bWU6cGFzcw=="}}}`, `{"auths": {"https://r.io/v1/": {"username": "u"}, "x.io": {}}}`,
		`{"credsStore": "a", "credHelpers": {"r.io": "../b"}}`, `{"auths": null}`, `{`, `[]`, "",
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(File(dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := New(func(string) string { return dir }, func(_ context.Context, program string, _ []string, stdin string) ([]byte, int, error) {
			if stdin != "r.io" || strings.ContainsAny(program, "/\\ \n") {
				t.Errorf("%q is asked for %q", program, stdin)
			}
			return []byte("credentials not found"), 1, nil
		})
		if auth, err := c.Lookup(t.Context(), "r.io"); err != nil && !auth.None() {
			t.Errorf("credentials beside %v", err)
		}
	})
}
