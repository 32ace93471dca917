package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/docker/client"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/registry"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// Default is the source of an engine that no setting names.
const Default = "the default"

// endpoint is an engine's address, with its certificates.
type endpoint struct {
	host string
	from string // its source
	tls  *tlsFiles
}

// tlsFiles are the paths of PEM files; an empty one is missing.
type tlsFiles struct {
	ca, cert, key string
	skipVerify    bool
}

// check rejects what is not a file: reading a pipe would block.
func (t *tlsFiles) check() error {
	for _, path := range []string{t.ca, t.cert, t.key} {
		if path == "" {
			continue
		}
		if err := safefile.Check(path); err != nil {
			return err
		}
	}
	return nil
}

func (at endpoint) unavailable(err error, hint string) error {
	return &UnavailableError{Host: at.host, From: at.from, Err: err, Hint: hint}
}

// findEndpoint finds the engine that the environment names.
func findEndpoint(environ func(string) string) (endpoint, error) {
	if host := environ("DOCKER_HOST"); host != "" {
		at := endpoint{host: host, from: "DOCKER_HOST"}
		if environ("DOCKER_TLS_VERIFY") != "" {
			at.tls = certificates(environ)
		}
		return at.check()
	}
	dir := registry.Directory(environ)
	name, from := environ("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		var config struct {
			CurrentContext string `json:"currentContext"`
		}
		if err := registry.ReadConfig(dir, &config); err != nil {
			at := endpoint{from: "the Docker configuration"}
			return at, at.unavailable(err, "correct that file, or set DOCKER_HOST")
		}
		name, from = config.CurrentContext, registry.File(dir)
	}
	if name == "" || name == "default" {
		return endpoint{host: client.DefaultDockerHost, from: Default}, nil
	}
	return contextEndpoint(dir, name, from)
}

// certificates returns those of DOCKER_CERT_PATH, else of the configuration.
func certificates(environ func(string) string) *tlsFiles {
	dir := environ("DOCKER_CERT_PATH")
	if dir == "" {
		dir = registry.Directory(environ)
	}
	files, _ := tlsDirectory(dir)
	return files
}

// tlsDirectory returns the PEM files of a directory, and whether there are any.
func tlsDirectory(dir string) (*tlsFiles, bool) {
	files, any := &tlsFiles{}, false
	for name, path := range map[string]*string{"ca.pem": &files.ca, "cert.pem": &files.cert, "key.pem": &files.key} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			*path, any = filepath.Join(dir, name), true
		}
	}
	return files, any
}

// contextMeta is a context as the docker command stores it.
type contextMeta struct {
	Endpoints map[string]struct {
		Host          string
		SkipTLSVerify bool
	}
}

// contextEndpoint reads a context. The name of its directory is a digest, so the
// context's name cannot lead elsewhere.
func contextEndpoint(dir, name, namedBy string) (endpoint, error) {
	at := endpoint{from: fmt.Sprintf("context %q", name)}
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	var meta contextMeta
	path := filepath.Join(dir, "contexts", "meta", id, "meta.json")
	err := registry.ReadFile(path, &meta)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%s names it, but %s does not exist", namedBy, path)
		return at, at.unavailable(err, "choose one that `docker context ls` shows")
	case err != nil:
		return at, at.unavailable(err, "recreate the context, or set DOCKER_HOST")
	}
	docker := meta.Endpoints["docker"]
	if docker.Host == "" {
		return at, at.unavailable(fmt.Errorf("%s does not name a host", path), "choose another context, or set DOCKER_HOST")
	}
	at.host = docker.Host
	files, any := tlsDirectory(filepath.Join(dir, "contexts", "tls", id, "docker"))
	if any || docker.SkipTLSVerify {
		at.tls = files
		at.tls.skipVerify = docker.SkipTLSVerify
	}
	return at.check()
}

// check refuses unsupported addresses, and drops certificates without TLS.
func (at endpoint) check() (endpoint, error) {
	scheme, rest, ok := strings.Cut(at.host, "://")
	var err error
	hint := "write it as unix:///path/of/the.sock or tcp://host:port"
	switch {
	case !ok || rest == "":
		err = errors.New("not an address of an engine")
	case scheme == "ssh":
		err = errors.New("cannot connect to an engine by ssh")
		hint = sshHint(at.host)
	case scheme == "tcp":
		err = checkTCP(at.host)
	case scheme == "unix", scheme == "npipe":
		at.tls = nil
	default:
		err = fmt.Errorf("%s:// is not known", scheme)
	}
	if err != nil {
		return at, at.unavailable(err, hint)
	}
	return at, nil
}

func checkTCP(host string) error {
	u, err := url.Parse(host)
	if err != nil {
		return errors.New("not an address of an engine")
	}
	if _, port, err := net.SplitHostPort(u.Host); err != nil || port == "" {
		return errors.New("its port is missing")
	}
	return nil
}

func sshHint(host string) string {
	target := "USER@HOST"
	if u, err := url.Parse(host); err == nil && u.Hostname() != "" {
		target = u.Hostname()
		if u.User.Username() != "" {
			target = u.User.Username() + "@" + target
		}
		if u.Port() != "" {
			target = "-p " + u.Port() + " " + target
		}
	}
	return "forward its socket with `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock " + target +
		"` and set DOCKER_HOST=unix:///tmp/docker.sock"
}

// Address returns the address of the engine that [Connect] would find, empty if there is
// none.
func Address(environ func(string) string) string {
	at, err := findEndpoint(environ)
	if err != nil {
		return ""
	}
	return at.host
}
