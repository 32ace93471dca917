package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// fileLimit is the most bytes that a file of the configuration may have.
const fileLimit = 1 << 20

// config is what is read of the docker command's config.json, see
// https://docs.docker.com/reference/cli/docker/login/#credential-stores.
type config struct {
	Auths       map[string]record `json:"auths"`
	CredsStore  string            `json:"credsStore"`
	CredHelpers map[string]string `json:"credHelpers"`
}

// Directory is the one of the docker command's configuration; it is empty when
// the user has no home. environ looks up the environment's variables.
func Directory(environ func(string) string) string {
	if dir := environ("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home := environ("HOME")
	if runtime.GOOS == "windows" {
		home = environ("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".docker")
}

// File is the configuration's file in its directory.
func File(directory string) string { return filepath.Join(directory, "config.json") }

// ReadConfig reads the configuration of a directory into a value that JSON can be
// read into. Where there is no file, or no directory, it is left as it is.
//
// # Errors
//
// As of [ReadFile].
func ReadConfig(directory string, into any) error {
	if directory == "" {
		return nil
	}
	err := ReadFile(File(directory), into)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ReadFile reads a file of the docker command's, of 1 MiB at most, which may
// have fields that are not known here.
//
// # Errors
//
// They name the file. None quotes a value that it has.
func ReadFile(path string, into any) error {
	text, err := safefile.Read(path, fileLimit+1)
	if err != nil {
		return err
	}
	if len(text) > fileLimit {
		return fmt.Errorf("%s is larger than 1 MiB", path)
	}
	// An error's text names a place and a kind of value, never a secret's text.
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// helperName is what a helper may be called in the configuration, so that it is
// a name in PATH and no path.
var helperName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]+$`) })

// notFound begins what a helper prints that has nothing for a server.
var notFound = []byte("credentials not found")

// tokenUser is the user name beside an identity token.
const tokenUser = "<token>"

// answer is a helper's, see
// https://github.com/docker/docker-credential-helpers#development.
type answer struct{ ServerURL, Username, Secret string }

// ask asks a helper for one host's credentials. It is asked by the protocol's
// names, which for Docker Hub is a URL.
//
// # Errors
//
// None quotes the output of the helper, which may be a secret.
func (c *Credentials) ask(ctx context.Context, name, host string) (Auth, error) {
	server := host
	if host == dockerHub {
		server = "https://" + dockerHub + "/v1/"
	}
	auth, err := c.answerOf(ctx, name, server)
	switch {
	case ctx.Err() != nil:
		return Auth{}, ctx.Err()
	case err != nil:
		return Auth{}, fmt.Errorf("%s keeps the credentials for %s in a helper: %w", File(c.directory), host, err)
	}
	return auth, nil
}

func (c *Credentials) answerOf(ctx context.Context, name, server string) (Auth, error) {
	if !helperName().MatchString(name) {
		return Auth{}, fmt.Errorf("%q is not the name of a helper; correct that file", name)
	}
	program := "docker-credential-" + name
	text, exit, err := c.run(ctx, program, []string{"get"}, server)
	if err != nil {
		return Auth{}, fmt.Errorf("%w; check that it works, or remove it from that file and run `docker login`", err)
	}
	if exit != 0 && bytes.HasPrefix(bytes.TrimSpace(text), notFound) {
		return Auth{}, nil
	}
	try := fmt.Sprintf("see what `echo %s | %s get` says", server, program)
	if exit != 0 {
		return Auth{}, fmt.Errorf("%s failed with exit code %d; %s", program, exit, try)
	}
	auth, err := parseAnswer(text, server)
	if err != nil {
		return Auth{}, fmt.Errorf("%s: %w; %s", program, err, try)
	}
	return auth, nil
}

// parseAnswer reads what a helper printed about a server.
func parseAnswer(text []byte, server string) (Auth, error) {
	var a answer
	// The decoder's error would quote the text.
	if json.Unmarshal(text, &a) != nil {
		return Auth{}, errors.New("its answer is not JSON as in the protocol")
	}
	switch {
	case a.ServerURL != "" && serverHost(a.ServerURL) != serverHost(server):
		return Auth{}, errors.New("its answer is about another server")
	case a.Secret == "":
		return Auth{}, errors.New("its answer has no secret")
	case a.Username == tokenUser:
		return Auth{IdentityToken: a.Secret}, nil
	}
	return Auth{Username: a.Username, Password: a.Secret}, nil
}

// serverHost is the host in a server's name, which may be a URL.
func serverHost(server string) string {
	if at, err := url.Parse(server); err == nil && at.Host != "" {
		server = at.Host
	}
	return Canonical(server)
}
