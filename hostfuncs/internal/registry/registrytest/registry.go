// Package registrytest runs a real registry for tests, Debian's docker-registry.
package registrytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// Registry is a registry on the loopback, with plain http, until its test ends.
type Registry struct {
	Host string // host:port
	// Tokens is its token server, nil for a registry with passwords.
	Tokens *TokenServer
}

// Basic starts a registry with a password. Without docker-registry the test is skipped,
// and fails in CI.
func Basic(t *testing.T, user, password string) Registry {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Registry{Host: providertest.Registry(t, "  htpasswd: {realm: test, path: "+file+"}\n")}
}

// Token starts a registry with a token server that takes the password, see [Basic].
func Token(t *testing.T, user, password string) Registry {
	t.Helper()
	server := newTokenServer(t, user, password)
	auth := "  token: {realm: " + server.URL + "/token, service: " + service + ", issuer: " + issuer + ", rootcertbundle: " + server.certificate + "}\n"
	return Registry{Host: providertest.Registry(t, auth), Tokens: server}
}

const issuer, service = "test-issuer", "test-service"

// TokenServer gives tokens by
// https://distribution.github.io/distribution/spec/auth/token/ and its JWTs by
// https://distribution.github.io/distribution/spec/auth/jwt/. It refuses other requests.
type TokenServer struct {
	*httptest.Server
	user, password string
	key            *ecdsa.PrivateKey
	der            []byte
	certificate    string // its file

	mu     sync.Mutex
	scopes []string
}

// Scopes returns the requested scopes, in order.
func (s *TokenServer) Scopes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.scopes...)
}

func newTokenServer(t *testing.T, user, password string) *TokenServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: issuer},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := &TokenServer{user: user, password: password, key: key, der: der, certificate: filepath.Join(t.TempDir(), "cert.pem")}
	if err := os.WriteFile(s.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewServer(s)
	// go-containerregistry refuses a token server at an IP address.
	s.URL = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *TokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	s.mu.Lock()
	s.scopes = append(s.scopes, query["scope"]...)
	s.mu.Unlock()
	user, password, ok := r.BasicAuth()
	switch {
	case r.Method != http.MethodGet || r.URL.Path != "/token" || query.Get("service") != service:
		w.WriteHeader(http.StatusBadRequest)
		return
	case ok && (user != s.user || password != s.password):
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	access := []map[string]any{}
	for _, scope := range query["scope"] {
		parts := strings.Split(scope, ":")
		if len(parts) != 3 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if ok { // nothing without a password
			access = append(access, map[string]any{"type": parts[0], "name": parts[1], "actions": strings.Split(parts[2], ",")})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": s.sign(user, access), "expires_in": 300})
}

// sign makes a JWT of what is granted.
func (s *TokenServer) sign(user string, access any) string {
	now := time.Now()
	header := map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.der)}}
	claims := map[string]any{
		"iss": issuer, "sub": user, "aud": service, "access": access, "jti": fmt.Sprint(now.UnixNano()),
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
	text := segment(header) + "." + segment(claims)
	sum := sha256.Sum256([]byte(text))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
