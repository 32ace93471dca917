package main_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestCosign: cosign accepts exactly the statements of --attest that verify accepts.
func TestCosign(t *testing.T) {
	cosign := providertest.Cosign(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]struct{ ours, others crypto.Signer }{"ed25519": {ed, p256}, "p256": {p256, ed}} {
		t.Run(name, func(t *testing.T) {
			a := attested(t, keys.ours)
			public, other := a.file(t, publicKey(t, keys.ours)), a.file(t, publicKey(t, keys.others))
			changed := a.file(t, bytes.Replace(a.statement, []byte(`"payload": "`), []byte(`"payload": "e30`), 1))
			const provenance = "slsaprovenance1"
			for name, tt := range map[string]struct {
				key, signature, kind, of string
				good                     bool
			}{
				"the manifest":        {public, a.signature, provenance, a.manifest, true},
				"the configuration":   {public, a.signature, provenance, a.config, true},
				"a layer":             {public, a.signature, provenance, a.layer, false},
				"another file":        {public, a.signature, provenance, public, false},
				"another key":         {other, a.signature, provenance, a.manifest, false},
				"a changed statement": {public, changed, provenance, a.manifest, false},
				"another type":        {public, a.signature, "spdxjson", a.manifest, false},
			} {
				cmd := exec.Command(cosign, "verify-blob-attestation", "--key", tt.key, "--signature", tt.signature, "--type", tt.kind, "--insecure-ignore-tlog", tt.of)
				cmd.Env = append(os.Environ(), "HOME="+a.work.Home)
				text, err := cmd.CombinedOutput()
				if good := clitest.ExitOf(t, err) == 0; good != tt.good || good != strings.Contains(string(text), "Verified OK") {
					t.Errorf("%s: %v\n%s", name, err, text)
				}
			}
		})
	}
}

// attestation is a signed statement of an image in a layout, with files of both.
type attestation struct {
	work                               clitest.Workspace
	statement                          []byte
	signature, manifest, config, layer string
}

// attested builds an image without an engine, with a signed statement.
func attested(t *testing.T, key crypto.Signer) attestation {
	t.Helper()
	a := attestation{work: clitest.NewWorkspace(t, "")}
	a.work.Write(t, "stagecraft.yml", []byte("backend: {provider: generic, providers: {generic: {dev: {command: [echo]}, build: {context: app}}}}\n"))
	a.work.Write(t, "app/Dockerfile", []byte("FROM scratch\nCOPY Dockerfile /\n"))
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.work.Want(t, 0, "build", "--engine", "embedded", "--output", "oci:layout", "--attest", "shop.json",
		"--attest-key", a.file(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	a.signature = filepath.Join(a.work.Dir, "shop.json")
	a.statement = []byte(clitest.ReadFile(t, a.signature))
	layout := filepath.Join(a.work.Dir, "layout")
	blob := func(digest string) string {
		return filepath.Join(layout, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
	}
	type described struct{ Digest string }
	var index struct{ Manifests []described }
	var manifest struct {
		Config described
		Layers []described
	}
	read := func(file string, into any) {
		if err := json.Unmarshal([]byte(clitest.ReadFile(t, file)), into); err != nil {
			t.Fatal(err)
		}
	}
	read(filepath.Join(layout, "index.json"), &index)
	a.manifest = blob(index.Manifests[0].Digest)
	read(a.manifest, &manifest)
	a.config, a.layer = blob(manifest.Config.Digest), blob(manifest.Layers[0].Digest)
	return a
}

// file writes a new file, and returns its path.
func (a attestation) file(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	clitest.WriteFile(t, file, string(text), 0o600)
	return file
}

func publicKey(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
