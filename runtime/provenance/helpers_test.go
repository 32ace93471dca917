package provenance_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/provenance"
)

// digit is a digest of one digit.
func digit(d string) string { return strings.Repeat(d, 64) }

// build is a build of which all is known.
func build() provenance.Build {
	return provenance.Build{
		Image: "ghcr.io/acme/shop:1.2", Digests: []string{"sha256:" + digit("1"), "sha256:" + digit("b")}, Config: "sha256:" + digit("a"),
		External: provenance.External{Config: provenance.File{Name: "stagecraft.yml", SHA256: digit("2")}, Tag: "ghcr.io/acme/shop:1.2", Push: true},
		Internal: provenance.Internal{
			Policies: []provenance.Policy{
				{Layer: "project", File: provenance.File{Name: "stagecraft.policy.yml", SHA256: digit("3")}},
				{Layer: "ceiling", File: provenance.File{Name: "ci.yml", SHA256: digit("4")}},
			},
			Plan:      &provenance.File{Name: "plan.json", SHA256: digit("5")},
			ImageFrom: "docker_build",
		},
		Provider: provenance.Module{ID: "generic", SHA256: digit("6")},
		Bases:    []provenance.Base{{Reference: "alpine:3.20", Digest: "sha256:" + digit("7")}, {Reference: "gcr.io/distroless/static@sha256:" + digit("8"), Digest: "sha256:" + digit("8")}},
		Contexts: []provenance.Context{{Directory: "app", SHA256: digit("9")}},
		Run:      "RUN", Started: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Finished: time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("", 3600)),
		Versions: map[string]string{"stagecraft": "v1.0.0", "abi": "1"},
	}
}

func payload(t testing.TB, b provenance.Build) []byte {
	t.Helper()
	s, err := provenance.New(b)
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pair is a private key and its public one.
type pair struct {
	signer   provenance.Signer
	verifier provenance.Verifier
}

// seeded is an Ed25519 key that is the same each time.
func seeded(t testing.TB, seed byte) pair {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(seed), ed25519.SeedSize)))
	return parsed(t, key, key.Public())
}

func p256(t testing.TB) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, key, key.Public())
}

func parsed(t testing.TB, private, public any) pair {
	t.Helper()
	signer, err := provenance.ParsePrivateKey(privatePEM(t, private))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := provenance.ParsePublicKey(publicPEM(t, public))
	if err != nil {
		t.Fatal(err)
	}
	return pair{signer, verifier}
}

func privatePEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func publicPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func signed(t testing.TB, payload []byte, key pair) []byte {
	t.Helper()
	data, err := provenance.Sign(t.Context(), payload, key.signer)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
