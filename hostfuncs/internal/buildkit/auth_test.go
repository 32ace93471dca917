package buildkit

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/session/auth"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
)

// canary is the user's secret, which must be in no error.
const canary = "canary-5ecret"

// credentialsFor are those of a configuration's auths.
func credentialsFor(t *testing.T, auths string) *registry.Credentials {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"auths": {`+auths+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return registry.New(func(name string) string { return map[string]string{"DOCKER_CONFIG": dir}[name] }, nil)
}

func login(host string) string {
	return `"` + host + `": {"username": "me", "password": "` + canary + `"}`
}

// askedBy is what a builder asks through a session.
func askedBy(t *testing.T, c *registry.Credentials, hosts ...string) auth.AuthClient {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	var access []Access
	for _, host := range hosts {
		access = append(access, Access{Host: registry.Canonical(host), Repository: "a"})
	}
	NewAuth(c, registry.NewClient(nil), append(access, Access{Host: hosts[0], Repository: "mine", Push: true})).Register(server)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return auth.NewAuthClient(conn)
}

// server is a registry of the loopback that has a challenge, and its own token
// server.
func server(t *testing.T, challenge string) (host string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); r.URL.Path == "/token" && user == "me" && password == canary {
			_, _ = w.Write([]byte(`{"token": "tok:` + r.URL.Query().Get("scope") + `", "expires_in": 100, "issued_at": "2026-01-02T03:04:05Z"}`))
			return
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// wantCode wants an error of that code, without the secret.
func wantCode(t *testing.T, what string, err error, code codes.Code, text string) {
	t.Helper()
	if status.Code(err) != code || err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), canary) {
		t.Errorf("%s: got %v", what, err)
	}
}

func TestAuthGivesTokens(t *testing.T) {
	host := server(t, `Bearer realm="x"`)
	c := askedBy(t, credentialsFor(t, login(host)), host)
	got, err := c.FetchToken(t.Context(), &auth.FetchTokenRequest{Host: host, Realm: "http://" + host + "/token", Service: "s", Scopes: []string{"repository:a:pull"}})
	if err != nil || got.GetToken() != "tok:repository:a:pull" || got.GetExpiresIn() != 100 || got.GetIssuedAt() != 1767323045 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = c.FetchToken(t.Context(), &auth.FetchTokenRequest{Host: host, Realm: "https://evil.test/token"})
	wantCode(t, "a realm elsewhere", err, codes.Unknown, "is not in the registry's domain")
	_, err = c.Credentials(t.Context(), &auth.CredentialsRequest{Host: host})
	wantCode(t, "the password", err, codes.FailedPrecondition, "issues tokens, so a builder does not get its password")
}

// TestAuthGivesWhatIsNeeded has a builder ask for more than the build may do.
func TestAuthGivesWhatIsNeeded(t *testing.T) {
	host := server(t, `Bearer realm="x"`)
	c := askedBy(t, credentialsFor(t, login(host)), host)
	for _, tt := range []struct{ asked, want string }{
		{"repository:a:pull", "repository:a:pull"},
		{"repository:a:pull,push,delete,*", "repository:a:pull"},
		{"repository:mine:pull,push", "repository:mine:pull,push"},
		{"repository:mine:delete", ""},
		{"repository:other:pull", ""},
		{"repository:other:pull repository:mine:push", "repository:mine:push"},
		{"registry:catalog:*", ""},
		{"repository(plugin):a:pull", ""},
		{"a", ""},
	} {
		got, err := c.FetchToken(t.Context(), &auth.FetchTokenRequest{Host: host, Realm: "http://" + host + "/token", Scopes: []string{tt.asked}})
		if tt.want == "" {
			wantCode(t, tt.asked, err, codes.Unimplemented, "")
		} else if err != nil || got.GetToken() != "tok:"+tt.want {
			t.Errorf("%s: got %v, %v", tt.asked, got, err)
		}
	}
}

func TestAuthGivesPasswords(t *testing.T) {
	host := server(t, `Basic realm="x"`)
	for auths, want := range map[string]string{login(host): canary, `"` + host + `": {"identitytoken": "x"}`: "", login("r.io"): ""} {
		got, err := askedBy(t, credentialsFor(t, auths), host, "r.io").Credentials(t.Context(), &auth.CredentialsRequest{Host: host})
		if got.GetSecret() != want || want != "" && (err != nil || got.GetUsername() != "me") {
			t.Errorf("%s: %v, %v", auths, got, err)
		}
		if want == "" {
			wantCode(t, auths, err, codes.Unimplemented, "")
		}
	}
	gone := "127.0.0.1:1"
	_, err := askedBy(t, credentialsFor(t, login(gone)), gone).Credentials(t.Context(), &auth.CredentialsRequest{Host: gone})
	wantCode(t, "a registry that can't be asked", err, codes.Unknown, "registry 127.0.0.1:1 cannot be reached")
}

// TestAuthAuthority has a builder make sure of whom it asks, as its own code
// does it.
func TestAuthAuthority(t *testing.T) {
	c := askedBy(t, credentialsFor(t, login("https://index.docker.io/v1/")), "docker.io")
	for _, host := range []string{"registry-1.docker.io", "docker.io"} {
		key, err := c.GetTokenAuthority(t.Context(), &auth.GetTokenAuthorityRequest{Host: host})
		if err != nil {
			t.Fatal(err)
		}
		signed, err := c.VerifyTokenAuthority(t.Context(), &auth.VerifyTokenAuthorityRequest{Host: host, Payload: []byte("payload")})
		if err != nil {
			t.Fatal(err)
		}
		text := signed.GetSigned()
		if len(text) < ed25519.SignatureSize || !ed25519.Verify(key.GetPublicKey(), text[ed25519.SignatureSize:], text[:ed25519.SignatureSize]) || string(text[ed25519.SignatureSize:]) != "payload" {
			t.Errorf("%s: %q is not signed by %x", host, text, key.GetPublicKey())
		}
	}
}

// TestAuthOfOthers asks for all that there is of hosts that the build may not
// use, of which there are credentials, and of one that there are none of.
func TestAuthOfOthers(t *testing.T) {
	host := server(t, `Basic realm="x"`)
	c := askedBy(t, credentialsFor(t, login(host)+","+login("x.io")+","+login("r.io:5000")+","+login("r.io")), "r.io", "none.io")
	for _, other := range []string{host, "x.io", "r.io:5000", "evil.r.io", "none.io", ""} {
		for name, ask := range map[string]func(context.Context) error{
			"Credentials": func(ctx context.Context) error {
				_, err := c.Credentials(ctx, &auth.CredentialsRequest{Host: other})
				return err
			},
			"FetchToken": func(ctx context.Context) error {
				_, err := c.FetchToken(ctx, &auth.FetchTokenRequest{Host: other, Realm: "http://" + host + "/token"})
				return err
			},
			"GetTokenAuthority": func(ctx context.Context) error {
				_, err := c.GetTokenAuthority(ctx, &auth.GetTokenAuthorityRequest{Host: other})
				return err
			},
			"VerifyTokenAuthority": func(ctx context.Context) error {
				_, err := c.VerifyTokenAuthority(ctx, &auth.VerifyTokenAuthorityRequest{Host: other, Payload: []byte("x")})
				return err
			},
		} {
			wantCode(t, name+" of "+other, ask(t.Context()), codes.Unimplemented, "no credentials for this registry")
		}
	}
}

func TestAuthBrokenConfiguration(t *testing.T) {
	c := askedBy(t, credentialsFor(t, `"r.io": {"auth": "`+canary+`"}`), "r.io")
	_, err := c.GetTokenAuthority(t.Context(), &auth.GetTokenAuthorityRequest{Host: "r.io"})
	wantCode(t, "a broken entry", err, codes.Unknown, "config.json: the credentials for r.io: auth is not base64")
}
