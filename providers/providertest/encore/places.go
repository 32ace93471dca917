//go:build linux || darwin

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
)

// cacheDir is where the real one has its socket. It depends on XDG_CACHE_HOME
// and HOME of the process that asks, so that of two processes with different
// ones each has a daemon of its own.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "encore"), err
}

// configDir has the login. The files of telemetry and hints are not moved by
// ENCORE_CONFIG_DIR.
func configDir() (string, error) {
	if dir := os.Getenv("ENCORE_CONFIG_DIR"); dir != "" {
		return dir, nil
	}
	return userConfigDir()
}

func userConfigDir() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "encore"), err
}

// daemonLog is the path of the daemon's log.
func daemonLog() (string, error) {
	if path := os.Getenv("ENCORE_DAEMON_LOG_PATH"); path != "" {
		return path, nil
	}
	dir, err := cacheDir()
	return filepath.Join(dir, "daemon.log"), err
}

// socket is the file that stands in for the socket of a cache directory. It is
// in the state directory: the path of a real one would be too long for many a
// temporary directory.
func (s state) socket() (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(dir))
	return "socket-" + hex.EncodeToString(sum[:6]), nil
}

const tokenFile = ".auth_token"

// loggedIn follows the real one: a login is a file, and ENCORE_AUTH_KEY makes
// one where there is none.
func (c *call) loggedIn() bool {
	if c.steer.LoggedIn != nil && !*c.steer.LoggedIn {
		return false
	}
	dir, err := configDir()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, tokenFile))
	return err == nil
}

// loginByKey logs in by ENCORE_AUTH_KEY before any command.
func (c *call) loginByKey() error {
	if os.Getenv("ENCORE_AUTH_KEY") == "" || c.loggedIn() || c.steer.LoggedIn != nil {
		return nil
	}
	return c.makeLogin()
}

func (c *call) makeLogin() error {
	if c.steer.Offline {
		return errors.New("dial tcp: lookup api.encore.cloud: no such host")
	}
	dir, err := configDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, tokenFile), []byte(`{"app_slug":"shop"}`), 0o600)
}
