//go:build linux || darwin

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSecondDaemon has commands that don't find the daemon: the one that they
// start dies on the port of the first, and they end well, without a word.
func TestSecondDaemon(t *testing.T) {
	for _, variable := range []string{"XDG_CACHE_HOME", "HOME"} {
		w := newWorld(t, "")
		if got := w.run("", "namespace", "list"); got.code != 0 {
			t.Fatalf("%+v", got)
		}
		pid := w.daemonPid()
		other := t.TempDir()
		w.env = append(w.env, variable+"="+other)
		for _, args := range []string{"run -p " + freePort(t), "build docker a"} {
			if got := w.run("", strings.Fields(args)...); got != (result{}) {
				t.Errorf("%s, encore %s: %+v", variable, args, got)
			}
		}
		log := filepath.Join(other, "encore", "daemon.log")
		if variable == "HOME" {
			log = strings.TrimPrefix(strings.TrimSpace(last(w.run("", "daemon", "env").stdout)), "ENCORE_DAEMON_LOG_PATH=")
		}
		if text := w.read(log); !strings.Contains(text, "bind: address already in use") {
			t.Errorf("%s: the log has %q", variable, text)
		}
		if w.daemonPid() != pid {
			t.Errorf("%s: the first daemon is gone", variable)
		}
	}
}

func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestDaemonKeepsEnvironment has the app of a second project see a variable of
// the command that started the daemon.
func TestDaemonKeepsEnvironment(t *testing.T) {
	w := newWorld(t, `{"print_env": ["FIRST", "SECOND"], "crash_after_ms": 1}`)
	env := w.env
	w.env = append(slices.Clone(env), "FIRST=of the daemon", "SECOND=of the daemon")
	if got := w.run("", "namespace", "ls"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	w.env = append(slices.Clone(env), "SECOND=of the command")
	got := w.run("", "run", "-p", freePort(t))
	if !strings.Contains(got.stderr, "FIRST=of the daemon\nSECOND=of the command\n") {
		t.Errorf("%+v", got)
	}
	var noted struct {
		PID      int      `json:"pid"`
		EnvNames []string `json:"env_names"`
	}
	if err := json.Unmarshal([]byte(w.read(w.state.file("daemons.jsonl"))), &noted); err != nil {
		t.Fatal(err)
	}
	if noted.PID != w.daemonPid() || !slices.Contains(noted.EnvNames, "FIRST") {
		t.Errorf("noted %+v", noted)
	}
}

// TestLogin has the login found by each of the variables, and made by a key.
func TestLogin(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"encore", "own", ".config/encore"} {
		if err := os.MkdirAll(filepath.Join(dir, file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file, tokenFile), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		env  []string
		code int
	}{
		"none":    {[]string{"XDG_CONFIG_HOME=/nowhere"}, 1},
		"config":  {[]string{"XDG_CONFIG_HOME=" + dir}, 0},
		"own":     {[]string{"XDG_CONFIG_HOME=/nowhere", "ENCORE_CONFIG_DIR=" + filepath.Join(dir, "own")}, 0},
		"own, no": {[]string{"XDG_CONFIG_HOME=" + dir, "ENCORE_CONFIG_DIR=/nowhere"}, 1},
		"key":     {[]string{"XDG_CONFIG_HOME=" + t.TempDir(), "ENCORE_AUTH_KEY=k"}, 0},
	} {
		w := newWorld(t, "")
		w.env = append(w.env, tt.env...)
		got := w.run("x", "secret", "set", "-t", "dev", "A")
		if got.code != tt.code || got.code == 1 && got.stderr != "error: "+notLoggedIn+"\n" {
			t.Errorf("%s: %+v", name, got)
		}
		want := map[int]string{0: "logged in as user@example.com\n", 1: "not logged in.\n"}[tt.code]
		if got := w.run("", "auth", "whoami"); !strings.HasSuffix(got.stdout, want) {
			t.Errorf("%s: whoami: %+v", name, got)
		}
	}
}

// TestUserFiles has what encore writes for the user, once.
func TestUserFiles(t *testing.T) {
	w := newWorld(t, `{"crash_after_ms": 1}`)
	w.env = append(w.env, "XDG_CONFIG_HOME="+t.TempDir())
	const note, hint = "\x1b[1mNote\x1b[0m: This CLI tool collects usage data", "\nHint: deploy your app to the cloud by running: \x1b[36mgit push encore\x1b[0m\n"
	got := w.run("", "run", "-p", freePort(t))
	if !strings.Contains(got.stdout, note) || !strings.HasSuffix(got.stdout, hint) {
		t.Errorf("first: %+v", got)
	}
	if got := w.run("", "run", "-p", freePort(t)); got.stdout != "" {
		t.Errorf("second: %+v", got)
	}
	w.env = append(w.env, "DISABLE_ENCORE_TELEMETRY=1")
	w.run("", "namespace", "list")
	if text := w.read(w.userFile("telemetry.json")); !strings.Contains(text, `"enabled":false`) {
		t.Errorf("telemetry.json has %s", text)
	}
}
