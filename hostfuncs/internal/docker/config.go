package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// configLimit is the most bytes that a file of the configuration may have.
const configLimit = 1 << 20

// config is what is read of the docker command's config.json.
type config struct {
	CurrentContext string                `json:"currentContext"`
	Auths          map[string]authRecord `json:"auths"`
	CredsStore     string                `json:"credsStore"`
	CredHelpers    map[string]string     `json:"credHelpers"`
}

// configDir is the folder of the docker command's configuration; it is empty
// when there is no home to have it.
func configDir(environ func(string) string) string {
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

func configPath(dir string) string { return filepath.Join(dir, "config.json") }

// readConfig reads the configuration; where there is none it is empty.
func readConfig(dir string) (config, error) {
	var c config
	if dir == "" {
		return c, nil
	}
	err := readJSON(configPath(dir), &c)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, nil
	}
	return c, err
}

// readJSON reads a small file of the docker command's, which may have fields
// that are not known here.
func readJSON(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, configLimit+1))
	if err != nil {
		return err
	}
	if len(text) > configLimit {
		return fmt.Errorf("%s is larger than 1 MiB", path)
	}
	// An error's text names a place and a kind of value, never a secret's text.
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
