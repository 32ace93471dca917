//go:build linux || darwin

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// telemetry is telemetry.json of the user.
type telemetry struct {
	Enabled      bool `json:"enabled"`
	ShownWarning bool `json:"shown_warning"`
}

// tellTelemetry is what every command but the daemon does first: with
// DISABLE_ENCORE_TELEMETRY=1 telemetry is off for good, in the user's file, and
// where it is on, this is said once. Without a place for the file nothing is
// written.
func tellTelemetry(silent bool) {
	t := telemetry{Enabled: true}
	was := readUserFile("telemetry.json", &t)
	off := os.Getenv("DISABLE_ENCORE_TELEMETRY") == "1"
	changed := !was || off && t.Enabled
	t.Enabled = t.Enabled && !off
	if t.Enabled && !t.ShownWarning && !silent {
		fmt.Printf("\n%s: This CLI tool collects usage data to help us improve Encore.\n", coloured("1", "Note"))
		fmt.Printf("      You can disable this by running '%s'.\n\n", coloured("33", "encore telemetry disable"))
		t.ShownWarning, changed = true, true
	}
	if changed {
		writeUserFile("telemetry.json", t)
	}
}

// onboarding is onboarding.json of the user.
type onboarding struct {
	DeployHint bool `json:"deploy_hint"`
}

// hintDeploy is printed on standard output by the user's first run that ends
// with exit code 0.
func hintDeploy() {
	var o onboarding
	readUserFile("onboarding.json", &o)
	if o.DeployHint {
		return
	}
	fmt.Printf("\nHint: deploy your app to the cloud by running: %s\n", coloured("36", "git push encore"))
	writeUserFile("onboarding.json", onboarding{DeployHint: true})
}

func readUserFile(name string, into any) bool {
	dir, err := userConfigDir()
	if err != nil {
		return false
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	return err == nil && json.Unmarshal(data, into) == nil
}

// writeUserFile is without an error, as with the real one.
func writeUserFile(name string, value any) {
	dir, err := userConfigDir()
	if err != nil || os.MkdirAll(dir, 0o755) != nil {
		return
	}
	if data, err := json.Marshal(value); err == nil {
		_ = state(dir).replace(name, data)
	}
}

// cacheDir returns where the real one has its socket. It depends on XDG_CACHE_HOME
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

// daemonLog returns the path of the daemon's log.
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

// coloured uses colour even with NO_COLOR, as much of the real one's output does.
func coloured(code, text string) string { return "\x1b[" + code + "m" + text + "\x1b[0m" }

// polite omits it with NO_COLOR.
func polite(code, text string) string {
	if os.Getenv("NO_COLOR") != "" {
		return text
	}
	return coloured(code, text)
}

func red(format string, args ...any) string { return coloured("31", fmt.Sprintf(format, args...)) }
