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

// fileLimit is the most bytes of a file of the configuration.
const fileLimit = 1 << 20

// config is the part of the docker command's config.json that is read, see
// https://docs.docker.com/reference/cli/docker/login/#credential-stores.
type config struct {
	Auths       map[string]record `json:"auths"`
	CredsStore  string            `json:"credsStore"`
	CredHelpers map[string]string `json:"credHelpers"`
}

// Directory returns the directory of the docker command's configuration, empty if the
// user has no home. environ looks up variables.
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

// File returns the configuration's file in its directory.
func File(directory string) string { return filepath.Join(directory, "config.json") }

// ReadConfig decodes the configuration in a directory. A missing file or directory does
// not change the value. Its errors are those of [ReadFile].
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

// ReadFile decodes a file of the docker command, of at most 1 MiB. Unknown fields are
// ignored. Errors name the file and do not quote values.
func ReadFile(path string, into any) error {
	text, err := safefile.Read(path, fileLimit+1)
	if err != nil {
		return err
	}
	if len(text) > fileLimit {
		return fmt.Errorf("%s is larger than 1 MiB", path)
	}
	// The error names the place and the kind of a value, never a secret.
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// helperName matches the name of a helper, which must not be a path.
var helperName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]+$`) })

// notFound begins the answer of a helper without credentials for a server.
var notFound = []byte("credentials not found")

// tokenUser is the user name of an identity token.
const tokenUser = "<token>"

// answer is a helper's answer, see
// https://github.com/docker/docker-credential-helpers#development.
type answer struct{ ServerURL, Username, Secret string }

// ask asks a helper for one host's credentials. The name of Docker Hub is a URL. Errors do
// not quote the helper's output, which may be a secret.
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

// parseAnswer decodes a helper's answer.
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

// serverHost returns the host of a server's name, which may be a URL.
func serverHost(server string) string {
	if at, err := url.Parse(server); err == nil && at.Host != "" {
		server = at.Host
	}
	return Canonical(server)
}
