package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/client"
	"github.com/google/go-cmp/cmp"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image/imagetest"
)

// writeContext writes a context as the docker command does, with the files of
// its TLS directory.
func writeContext(t *testing.T, dir, name, host string, tls ...string) {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	meta, err := json.Marshal(map[string]any{
		"Name":      name,
		"Metadata":  map[string]any{"Description": "d"},
		"Endpoints": map[string]any{"docker": map[string]any{"Host": host, "SkipTLSVerify": strings.Contains(name, "skip")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	imagetest.Write(t, dir, map[string]string{"contexts/meta/" + id + "/meta.json": string(meta)})
	for _, file := range tls {
		imagetest.Write(t, dir, map[string]string{"contexts/tls/" + id + "/docker/" + file: ""})
	}
}

func TestFindEndpoint(t *testing.T) {
	dir := t.TempDir()
	writeContext(t, dir, "plain", "unix:///plain.sock")
	writeContext(t, dir, "tls", "tcp://h:2376", "ca.pem", "cert.pem", "key.pem")
	writeContext(t, dir, "skip", "tcp://h:2376")
	writeContext(t, dir, "open", "tcp://h:2375")
	writeContext(t, dir, "hostless", "")
	writeContext(t, dir, "far", "ssh://me@far")
	imagetest.Write(t, dir, map[string]string{"config.json": `{"currentContext": "plain", "auths": {}}`})
	sum := sha256.Sum256([]byte("tls"))
	tls := filepath.Join(dir, "contexts", "tls", hex.EncodeToString(sum[:]), "docker")
	home := t.TempDir()
	imagetest.Write(t, home, map[string]string{".docker/config.json": `{"currentContext": "gone"}`})
	certs := t.TempDir()
	imagetest.Write(t, certs, map[string]string{"ca.pem": "", "key.pem": ""})
	empty := t.TempDir()

	for _, tt := range []struct {
		name string
		env  map[string]string
		want endpoint
		err  string // part of the error
	}{
		{name: "nothing", env: map[string]string{}, want: endpoint{host: client.DefaultDockerHost, from: "the default"}},
		{name: "no configuration", env: map[string]string{"DOCKER_CONFIG": empty}, want: endpoint{host: client.DefaultDockerHost, from: "the default"}},
		{name: "host", env: map[string]string{"DOCKER_HOST": "unix:///s", "DOCKER_CONTEXT": "tls", "DOCKER_CONFIG": dir}, want: endpoint{host: "unix:///s", from: "DOCKER_HOST"}},
		{name: "host with TLS", env: map[string]string{"DOCKER_HOST": "tcp://h:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}, want: endpoint{host: "tcp://h:1", from: "DOCKER_HOST", tls: &tlsFiles{ca: filepath.Join(certs, "ca.pem"), key: filepath.Join(certs, "key.pem")}}},
		{name: "certificates but no TLS", env: map[string]string{"DOCKER_HOST": "tcp://h:1", "DOCKER_CERT_PATH": certs}, want: endpoint{host: "tcp://h:1", from: "DOCKER_HOST"}},
		{name: "TLS for a socket", env: map[string]string{"DOCKER_HOST": "unix:///s", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}, want: endpoint{host: "unix:///s", from: "DOCKER_HOST"}},
		{name: "current context", env: map[string]string{"DOCKER_CONFIG": dir}, want: endpoint{host: "unix:///plain.sock", from: `context "plain"`}},
		{name: "context by variable", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "tls"}, want: endpoint{host: "tcp://h:2376", from: `context "tls"`, tls: &tlsFiles{ca: filepath.Join(tls, "ca.pem"), cert: filepath.Join(tls, "cert.pem"), key: filepath.Join(tls, "key.pem")}}},
		{name: "context without verification", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "skip"}, want: endpoint{host: "tcp://h:2376", from: `context "skip"`, tls: &tlsFiles{skipVerify: true}}},
		{name: "context without TLS", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "open"}, want: endpoint{host: "tcp://h:2375", from: `context "open"`}},
		{name: "context default", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "default"}, want: endpoint{host: client.DefaultDockerHost, from: "the default"}},
		{name: "context that is gone", env: map[string]string{"HOME": home, "USERPROFILE": home}, err: filepath.Join(home, ".docker", "config.json") + " names it, but"},
		{name: "context by a path", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "../../x"}, err: "DOCKER_CONTEXT names it, but"},
		{name: "context without a host", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "hostless"}, err: "does not name a host"},
		{name: "context by ssh", env: map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "far"}, err: "me@far`"},
		{name: "no scheme", env: map[string]string{"DOCKER_HOST": "localhost:2375"}, err: "not an address of an engine; write it as unix://"},
		{name: "no path", env: map[string]string{"DOCKER_HOST": "unix://"}, err: "not an address"},
		{name: "no port", env: map[string]string{"DOCKER_HOST": "tcp://h"}, err: "its port is missing"},
		{name: "no URL", env: map[string]string{"DOCKER_HOST": "tcp://[::1"}, err: "not an address"},
		{name: "unknown scheme", env: map[string]string{"DOCKER_HOST": "ftp://h:1"}, err: "ftp:// is not known"},
		{name: "odd bytes", env: map[string]string{"DOCKER_HOST": "\x1b[31mssh://\nx"}, err: "at ssh:// x (from DOCKER_HOST)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := findEndpoint(environ(tt.env))
			if tt.err == "" {
				if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(endpoint{}, tlsFiles{})); diff != "" || err != nil {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
				return
			}
			if _, ok := errors.AsType[*UnavailableError](err); !ok || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %s", err, tt.err)
			}
		})
	}
}

func TestFindEndpointBrokenFiles(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"not JSON", `{"currentContext": `, "unexpected end"},
		{"wrong", `{"currentContext": 3, "Endpoints": 3}`, "cannot unmarshal number"},
		{"too large", `{"x": "` + strings.Repeat("x", 1<<20) + `"}`, "is larger than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "config.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := findEndpoint(environ(map[string]string{"DOCKER_CONFIG": dir}))
			if _, ok := errors.AsType[*UnavailableError](err); !ok || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
			writeContext(t, dir, "c", "unix:///s")
			metas, _ := filepath.Glob(filepath.Join(dir, "contexts", "meta", "*", "meta.json"))
			if err := os.WriteFile(metas[0], []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = findEndpoint(environ(map[string]string{"DOCKER_CONFIG": dir, "DOCKER_CONTEXT": "c"}))
			if _, ok := errors.AsType[*UnavailableError](err); !ok || !strings.Contains(err.Error(), metas[0]) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
