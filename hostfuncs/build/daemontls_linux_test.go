package build

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/hosttest"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a := authority{key: newKey(t)}
	a.cert = sign(t, template, authority{template, a.key}, a.key)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template *x509.Certificate, by authority, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// directory has a certificate of the authority's for a host until some time, its
// key, and who is believed.
func (a authority) directory(t *testing.T, believed authority, host string, until time.Time) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	key := newKey(t)
	cert := sign(t, template, a, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"ca.pem":   {Type: "CERTIFICATE", Bytes: believed.cert.Raw},
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Raw},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDaemonTLS builds with a daemon at a port, which wants a certificate as we
// want one of it.
func TestDaemonTLS(t *testing.T) {
	r := daemonRig(t)
	ours, others := newAuthority(t), newAuthority(t)
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	start := func(certs string) string {
		return providertest.StartBuildKit(t, providertest.BuildKitOptions{Certs: certs}).Address
	}
	right := start(ours.directory(t, ours, "127.0.0.1", later))
	good := ours.directory(t, ours, "client", later)
	without := func(name string) string {
		dir := ours.directory(t, ours, "client", later)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	spoilt := without("key.pem")
	if err := os.WriteFile(filepath.Join(spoilt, "key.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, at, certs string
		want            string // empty for an image
	}{
		{name: "right", at: right, certs: good},
		{name: "another authority here", at: right, certs: ours.directory(t, others, "client", later), want: "must be for its address and signed by"},
		{name: "another authority there", at: right, certs: others.directory(t, ours, "client", later), want: "check that it accepts the certificate"},
		{name: "no certificates", at: right, want: "it may require certificates"},
		{name: "an expired certificate of ours", at: right, certs: ours.directory(t, ours, "client", before), want: "check that it accepts the certificate"},
		{name: "an expired one of the daemon", at: start(ours.directory(t, ours, "127.0.0.1", before)), certs: good, want: "expired"},
		{name: "another host's", at: start(ours.directory(t, ours, "builds.test", later)), certs: good, want: "127.0.0.1"},
		{name: "no directory", at: right, certs: filepath.Join(t.TempDir(), "none"), want: "ca.pem: no such file"},
		{name: "no authority", at: right, certs: without("ca.pem"), want: "ca.pem: no such file"},
		{name: "no certificate", at: right, certs: without("cert.pem"), want: "cert.pem: no such file"},
		{name: "no key", at: right, certs: without("key.pem"), want: "key.pem: no such file"},
		{name: "no key in the file", at: right, certs: spoilt, want: "the certificates in " + spoilt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			engine, err := ParseEngine("buildkit+"+tt.at, tt.certs)
			if err != nil {
				t.Fatal(err)
			}
			s := r.site(t, engine, map[string]string{"Dockerfile": "FROM scratch\nCOPY file /\n", "file": "x"})
			reply := s.build(t.Context(), t, "shop:tls", false)
			if tt.want == "" {
				hosttest.As[abi.DockerBuildResult](t, reply)
				return
			}
			s.wantLine(t, reply, abi.CodeUnavailable, "no BuildKit at "+tt.at, tt.want)
		})
	}
}
