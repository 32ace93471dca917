package registry

import (
	"strings"
	"testing"
)

func TestCheckRealm(t *testing.T) {
	for _, tt := range []struct{ host, realm, want string }{
		{"r.io", "https://r.io/token", ""},
		{"r.io", "https://R.IO:443/token?service=x", ""},
		{"r.example.com:5000", "https://auth.example.com/token", ""},
		{"r.example.com", "https://example.com:8443/jwt/auth", ""},
		{"docker.io", "https://auth.docker.io/token", ""},
		{"index.docker.io", "https://auth.docker.io/token", ""},
		{"registry-1.docker.io", "https://auth.docker.io/token", ""},
		{"registry.gitlab.com", "https://gitlab.com/jwt/auth", ""},
		{"r.example.co.uk", "https://auth.example.co.uk/", ""},
		{"127.0.0.1:5000", "http://127.0.0.1:5001/token", ""},
		{"localhost:5000", "http://127.0.0.1:5001/token", ""},
		{"[::1]:5000", "http://localhost/token", ""},
		{"10.0.0.1:5000", "https://10.0.0.1/token", ""},
		{"registry:5000", "https://registry:5001/token", ""},

		{"r.io", "http://r.io/token", "does not use https"},
		{"r.io", "http://127.0.0.1/token", "does not use https"},
		{"r.io", "https://127.0.0.1/token", "not in the registry's domain"},
		{"127.0.0.1:5000", "http://r.io/token", "does not use https"},
		{"127.0.0.1:5000", "https://r.io/token", "not in the registry's domain"},
		{"127.0.0.1:5000", "http://127.0.0.1.evil.test/token", "does not use https"},
		{"localhost:5000", "http://localhost.evil.test/token", "does not use https"},
		{"r.io", "https://evil.io/token", "not in the registry's domain"},
		{"r.io", "https://r.io.evil.test/token", "not in the registry's domain"},
		{"r.io", "https://evil-r.io/token", "not in the registry's domain"},
		{"a.co.uk", "https://b.co.uk/token", "not in the registry's domain"},
		{"a.github.io", "https://b.github.io/token", "not in the registry's domain"},
		{"docker.io", "https://auth.docker.io.evil.test/token", "not in the registry's domain"},
		{"docker.io", "https://auth.docker.com/token", "not in the registry's domain"},
		{"10.0.0.1", "https://10.0.0.2/token", "not in the registry's domain"},
		{"10.0.0.1", "https://10.9.0.1/token", "not in the registry's domain"},
		{"[2001:db8::1]", "https://[2001:db8::2]/token", "not in the registry's domain"},
		{"registry", "https://auth/token", "not in the registry's domain"},
		{"r.io", "https://r.io@evil.test/token", "a user name is refused"},
		{"r.io", "https://u:p@r.io/token", "a user name is refused"},
		{"r.io", "https://r.io%2eevil.test/token", "not an address"},
		{"r.io", "https://evil.test\\@r.io/token", "not an address"},
		{"r.io", "https://evil.test#@r.io/token", "not in the registry's domain"},
		{"r.io", "ftp://r.io/token", "does not use https"},
		{"r.io", "//r.io/token", "does not use https"},
		{"r.io", "/token", "not an address"},
		{"r.io", "", "not an address"},
		{"r.io", "https:///token", "not an address"},
		{"r.io", "https://r.io\n/", "not an address"},
		{"r.io", "https://ｒ.io/", "not an address"},
	} {
		err := CheckRealm(tt.host, tt.realm)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s, %s: %v", tt.host, tt.realm, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "registry "+tt.host+" asks for its credentials to be sent to ")):
			t.Errorf("%s, %s: got %v", tt.host, tt.realm, err)
		}
	}
}

func TestHostOf(t *testing.T) {
	for ref, want := range map[string]string{
		"alpine": "index.docker.io", "docker.io/library/alpine:3": "index.docker.io", "acme/shop": "index.docker.io",
		"ghcr.io/acme/shop:v1": "ghcr.io", "localhost/x": "localhost", "127.0.0.1:5000/x": "127.0.0.1:5000", "R.io/x": "r.io",
	} {
		if got, err := HostOf(ref); err != nil || got != want {
			t.Errorf("%s: %s, %v", ref, got, err)
		}
	}
	if _, err := HostOf("NOT A REF"); err == nil {
		t.Error("a reference that is none is taken")
	}
}

func FuzzCheckRealm(f *testing.F) {
	f.Add("r.example.com", "https://auth.example.com/token")
	f.Add("127.0.0.1:5000", "http://127.0.0.1/")
	f.Add("", "https://@/")
	f.Fuzz(func(t *testing.T, host, realm string) {
		if CheckRealm(host, realm) == nil && !strings.HasPrefix(strings.ToLower(realm), "https://") && !loopback(host) {
			t.Errorf("%q may have its credentials sent to %q", host, realm)
		}
	})
}
