package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"

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
