package registry

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var password = Auth{Username: "me", Password: canary}

// tokenServer gives a token to me, for what the specification has asked for.
func tokenServer(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		want := url.Values{"service": {"registry"}, "scope": {"repository:a:pull", "repository:b:pull,push"}, "account": {"me"}, "x": {"1"}}
		user, secret, _ := r.BasicAuth()
		switch {
		case user != "me" || secret != canary:
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method != http.MethodGet || r.URL.RawQuery != want.Encode():
			t.Errorf("%s %s", r.Method, r.URL)
		default:
			answering(200, `{"token": "tok.en", "expires_in": 300, "issued_at": "2026-01-02T03:04:05Z"}`)(w, r)
		}
	}
}

func wanted(host, realm string) TokenRequest {
	return TokenRequest{Host: host, Realm: realm, Service: "registry", Scopes: []string{"repository:a:pull", "repository:b:pull,push"}}
}

func TestFetchToken(t *testing.T) {
	w := newWorld(t, map[string]http.HandlerFunc{"auth.r.io": tokenServer(t)})
	got, err := NewClient(w.base).FetchToken(t.Context(), password, wanted("r.io", "https://auth.r.io/token?x=1"))
	if err != nil || got.Value != "tok.en" || got.Expires != 5*time.Minute || got.Issued.Unix() != 1767323045 {
		t.Errorf("got %v %v, %v", got.Value, got.Expires, err)
	}
	if asked := w.asked("auth.r.io"); len(asked) != 1 {
		t.Errorf("it was asked %+v", asked)
	}
}

func TestFetchTokenFor(t *testing.T) {
	w := newWorld(t, map[string]http.HandlerFunc{"r.io": answering(200, `{"access_token": "tok"}`)})
	c := NewClient(w.base)
	for _, tt := range []struct {
		name                        string
		auth                        Auth
		method, form, authorization string
	}{
		{"an identity token", Auth{Username: "me", IdentityToken: canary}, "POST",
			"client_id=stagecraft&grant_type=refresh_token&refresh_token=" + canary + "&scope=repository%3Aa%3Apull+repository%3Ab%3Apull%2Cpush&service=registry", ""},
		{"nobody", Auth{}, "GET", "", ""},
	} {
		w.seen = nil
		got, err := c.FetchToken(t.Context(), tt.auth, wanted("r.io", "https://r.io/token"))
		if err != nil || got.Value != "tok" || got.Expires != time.Minute || !got.Issued.IsZero() {
			t.Errorf("%s: %v %v, %v", tt.name, got.Value, got.Expires, err)
		}
		if want := (seen{tt.method, "r.io/token", tt.authorization, tt.form}); len(w.seen) != 1 || w.seen[0] != want {
			t.Errorf("%s: asked %+v, want %+v", tt.name, w.seen, want)
		}
	}
	w.seen = nil
	got, err := c.FetchToken(t.Context(), Auth{RegistryToken: "rt"}, wanted("r.io", "https://evil.test/"))
	if err != nil || got.Value != "rt" || len(w.seen) != 0 {
		t.Errorf("a registry token: %v, %v, %v", got.Value, err, w.seen)
	}
}

func TestFetchTokenRefused(t *testing.T) {
	big := `{"token": "` + strings.Repeat("x", tokenLimit) + `"}`
	breaks := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		answering(200, `{"token": "x"}`)(w, r)
	}
	limited := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	for _, tt := range []struct {
		name   string
		realm  string
		answer http.HandlerFunc
		want   string
	}{
		{"realm elsewhere", "https://evil.test/token", nil, "it is not in the registry's domain; they are not sent"},
		{"realm in plain", "http://r.io/token", nil, "it does not use https; they are not sent"},
		{"wrong password", "", answering(401, canary), "refuses the credentials; log in again with `docker login`"},
		{"forbidden", "", answering(403, canary), "refuses the credentials"},
		{"not there", "", answering(404, canary), "answers with status 404"},
		{"too many", "", limited, "too many requests; try again later (Retry-After: 17)"},
		{"too many, for who knows how long", "", answering(429, ""), "too many requests; try again later"},
		{"broken", "", answering(500, canary), "answers with status 500"},
		{"redirect elsewhere", "", redirect(302, "https://evil.test/token"), "redirects to evil.test, another host"},
		{"redirect to its neighbour", "", redirect(307, "https://evil.r.io/token"), "redirects to evil.r.io, another host"},
		{"redirect to another port", "", redirect(307, "https://auth.r.io:444/token"), "redirects to auth.r.io:444, another host"},
		{"redirect to plain http", "", redirect(307, "http://auth.r.io/token"), "redirects to auth.r.io, another host"},
		{"redirects without end", "", redirect(307, "https://auth.r.io/token"), "redirects too often"},
		{"no JSON", "", answering(200, canary), "answers with something other than the JSON of the specification"},
		{"no token", "", answering(200, `{"refresh_token": "`+canary+`"}`), "answers without a token"},
		{"token of two lines", "", answering(200, `{"token": "x\r\nCookie: y"}`), "answers without a token"},
		{"too large", "", answering(200, big), "more than 64 KiB"},
		{"cut off", "", breaks, "did not finish its answer: unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, auth := range []Auth{password, {IdentityToken: canary}} {
				w := newWorld(t, map[string]http.HandlerFunc{"auth.r.io": tt.answer})
				c := NewClient(w.base)
				got, err := c.FetchToken(t.Context(), auth, wanted("r.io", cmp.Or(tt.realm, "https://auth.r.io/token")))
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "registry r.io") || got.Value != "" {
					t.Fatalf("got %v", err)
				}
				if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "scope") {
					t.Errorf("what was sent is in %q", err)
				}
				for _, host := range []string{"evil.test", "evil.r.io", "r.io", "auth.r.io:444"} {
					if asked := w.asked(host); len(asked) != 0 {
						t.Errorf("%s was asked %+v", host, asked)
					}
				}
				if n := len(w.asked("auth.r.io")); n > redirectLimit+1 {
					t.Errorf("it was asked %d times", n)
				}
			}
		})
	}
}

// TestFetchTokenWaitsForNobody has servers that say nothing, and half of an
// answer.
func TestFetchTokenWaitsForNobody(t *testing.T) {
	for want, answer := range map[string]roundTrip{
		"does not answer within 30s": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"did not finish its answer: context deadline exceeded": func(r *http.Request) (*http.Response, error) {
			begin := strings.NewReader(`{"token": "`)
			return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(begin, untilDone{r.Context()}))}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			got, err := NewClient(answer).FetchToken(t.Context(), password, wanted("r.io", "https://auth.r.io/token"))
			if err == nil || !strings.Contains(err.Error(), want) || got.Value != "" {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// untilDone has nothing to read until its context is done.
type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

func TestFetchTokenFollowsItsServer(t *testing.T) {
	w := newWorld(t, map[string]http.HandlerFunc{"auth.r.io": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
			return
		}
		tokenServer(t)(w, r)
	}})
	got, err := NewClient(w.base).FetchToken(t.Context(), password, wanted("r.io", "https://auth.r.io/old?x=1"))
	if err != nil || got.Value != "tok.en" {
		t.Errorf("got %v, %v", got.Value, err)
	}
}

func TestFetchTokenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t, map[string]http.HandlerFunc{"r.io": func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}})
	if _, err := NewClient(w.base).FetchToken(ctx, password, wanted("r.io", "https://r.io/token")); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func FuzzToken(f *testing.F) {
	for _, seed := range []string{`{"token": "x", "expires_in": 60}`, `{"access_token": "x", "expires_in": 1e99}`, `{"token": "a b"}`, "[]", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		token, err := parseToken(text)
		if err == nil && (strings.ContainsAny(token.Value, " \r\n\x00") || token.Value == "" || token.Expires <= 0) {
			t.Errorf("%q for %v", token.Value, token.Expires)
		}
	})
}

func TestGivesTokens(t *testing.T) {
	challenge := func(status int, all ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for _, one := range all {
				w.Header().Add("WWW-Authenticate", one)
			}
			if r.URL.Path != "/v2/" || r.Header.Get("Authorization") != "" {
				t.Errorf("asked for %s", r.URL)
			}
			w.WriteHeader(status)
		}
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   bool
		err    string
	}{
		{"bearer", challenge(401, `Bearer realm="https://r.io/token"`), true, ""},
		{"basic", challenge(401, `Basic realm="r"`), false, ""},
		{"both", challenge(401, `Basic realm="r"`, `BEARER realm="https://r.io/token"`), true, ""},
		{"in one line", challenge(401, `Basic realm="r", Bearer realm="https://r.io/token"`), true, ""},
		{"open", challenge(200), false, ""},
		{"broken", challenge(500), false, "registry r.io answers with status 500"},
		{"elsewhere", redirect(302, "https://evil.test/v2/"), false, "registry r.io cannot be reached: redirects to evil.test"},
		{"plain", redirect(302, "http://r.io/v2/"), false, "another host"},
	} {
		w := newWorld(t, map[string]http.HandlerFunc{"r.io": tt.answer})
		got, err := NewClient(w.base).GivesTokens(t.Context(), "r.io")
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
		if asked := w.asked("evil.test"); len(asked) != 0 {
			t.Errorf("%s: %+v", tt.name, asked)
		}
	}
}

func TestGivesTokensInPlain(t *testing.T) {
	w := newWorld(t, map[string]http.HandlerFunc{"127.0.0.1:80": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", "Bearer realm=x")
		w.WriteHeader(http.StatusUnauthorized)
	}})
	if gives, err := NewClient(w.base).GivesTokens(t.Context(), "127.0.0.1:80"); err != nil || !gives {
		t.Errorf("on the loopback: %v, %v", gives, err)
	}
	if _, err := NewClient(w.base).GivesTokens(t.Context(), "r.io:80"); err == nil || !strings.HasPrefix(err.Error(), "registry r.io:80 cannot be reached") {
		t.Errorf("elsewhere: %v", err)
	}
	if asked := w.asked("r.io:80"); len(asked) != 0 {
		t.Errorf("it was asked in plain: %+v", asked)
	}
}
