package provenance_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// keys are some that aren't taken, and some that are.
type keys struct{ ed25519, p384, rsa, sec1 []byte }

func makeKeys(t *testing.T) (private, public keys) {
	t.Helper()
	one := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	private = keys{privatePEM(t, one), privatePEM(t, curve), privatePEM(t, old), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})}
	return private, keys{ed25519: publicPEM(t, one.Public()), p384: publicPEM(t, curve.Public()), rsa: publicPEM(t, old.Public())}
}

func TestParseKeys(t *testing.T) {
	private, public := makeKeys(t)
	block := func(kind, body string) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(body)}) }
	for _, c := range []struct {
		name        string
		data        []byte
		asPrivate   string // what is wrong with it, "" for nothing
		asPublic    string
		inTheAdvice string
	}{
		{"private", private.ed25519, "", "got a private key", "-pubout"},
		{"public", public.ed25519, "got a public key", "", "genpkey"},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", "x"), "the key is encrypted", "got a private key", "openssl pkey"},
		{"sec1", private.sec1, "not in PKCS #8", "got a private key", "pkcs8 -topk8"},
		{"sec1 with its curve", slices.Concat(block("EC PARAMETERS", "x"), private.sec1), "not in PKCS #8", "got a private key", "pkcs8 -topk8"},
		{"p384", private.p384, "neither Ed25519 nor", "got a private key", "genpkey"},
		{"public p384", public.p384, "got a public key", "neither Ed25519 nor", "genpkey"},
		{"rsa", private.rsa, "neither Ed25519 nor", "got a private key", "genpkey"},
		{"public rsa", public.rsa, "got a public key", "neither Ed25519 nor", "genpkey"},
		{"damaged", block("PRIVATE KEY", "x"), "damaged", "got a private key", "genpkey"},
		{"public damaged", block("PUBLIC KEY", "x"), "got a public key", "damaged", "genpkey"},
		{"certificate", block("CERTIFICATE", "x"), "not a private key", "not a public key", "openssl"},
		{"two", slices.Concat(private.ed25519, private.ed25519), "more than one", "more than one", "its own file"},
		{"two public", slices.Concat(public.ed25519, public.ed25519), "more than one", "more than one", "its own file"},
		{"a curve alone", block("EC PARAMETERS", "x"), "not a key", "not a key", "openssl"},
		{"none", nil, "not a key", "not a key", "openssl"},
		{"text", []byte("hello"), "not a key", "not a key", "openssl"},
		{"large", bytes.Repeat([]byte("\n"), provenance.MaxKeyBytes+1), "too large", "too large", "openssl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := provenance.ParsePrivateKey(c.data)
			wantKeyError(t, err, c.asPrivate, c.inTheAdvice)
			_, err = provenance.ParsePublicKey(c.data)
			wantKeyError(t, err, c.asPublic, "")
		})
	}
}

func wantKeyError(t *testing.T, err error, want, advice string) {
	t.Helper()
	e, ok := errors.AsType[*provenance.KeyError](err)
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected: %v", err)
	case want == "":
	case !ok || !strings.Contains(e.Reason, want):
		t.Errorf("error %v, want %q", err, want)
	case !strings.Contains(e.Hint(), advice):
		t.Errorf("advice %q, want %q", e.Hint(), advice)
	}
}
