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

func TestRefuses(t *testing.T) {
	w := newWorld(t, "")
	for _, tt := range []struct{ args, want string }{
		{"--version", "unknown flag: --version"},
		{"start", `unknown command "start" for "encore"`},
		{"run --entrypoint .", "unknown flag: --entrypoint"},
		{"run --env A=b", "unknown flag: --env"},
		{"run --env-file .env", "unknown flag: --env-file"},
		{"run -vx", "unknown shorthand flag: 'x' in -x"},
		{"run --verbose=much", `invalid argument "much" for "-v, --verbose" flag: strconv.ParseInt: parsing "much": invalid syntax`},
		{"run --trace", "flag needs an argument: --trace"},
		{"run --no-color=maybe", `for "--no-color" flag: strconv.ParseBool`},
		{"daemon -x", "unknown shorthand flag: 'x' in -x"},
		{"namespace list all", `unknown command "all" for "encore namespace list"`},
		{"run app", `unknown command "app" for "encore run"`},
		{"run --listen", "flag needs an argument: --listen"},
		{"run -wp", "flag needs an argument: 'p' in -p"},
		{"run -p http", `invalid argument "http" for "-p, --port" flag: strconv.ParseUint: parsing "http": invalid syntax`},
		{"run --browser no", `invalid argument "no" for "--browser" flag: must be one of "auto", "never", or "always"`},
		{"run --level INFO", `for "-l, --level" flag: must be one of "trace", "debug", "info", "warn", or "error"`},
		{"run --watch=maybe", `for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax`},
		{"run --debug=yes", `must be one of "enabled" or "break"`},
		{"run --=x", "bad flag syntax: --=x"},
		{"secret set --type dev", "accepts 1 arg(s), received 0"},
		{"secret set --type dev KEY value", "accepts 1 arg(s), received 2"},
		{"secret set --value x KEY", "unknown flag: --value"},
		{"build docker", "accepts 1 arg(s), received 0"},
		{"build docker a b", "accepts 1 arg(s), received 2"},
		{"build docker --tag a", "unknown flag: --tag"},
		{"build docker --arch arm a", `must be one of "amd64" or "arm64"`},
		{"build docker --os darwin a", `must be one of "linux"`},
	} {
		got := w.run("", strings.Fields(tt.args)...)
		lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
		if got.code != 1 || got.stdout != "" || lines[0] != "Usage:" || !strings.Contains(lines[len(lines)-1], tt.want) {
			t.Errorf("encore %s: %+v", tt.args, got)
		}
	}
	if w.state.has("daemon.pid") {
		t.Error("a daemon was started")
	}
}

func TestHelp(t *testing.T) {
	w := newWorld(t, "")
	for _, args := range []string{"", "--help", "run --help", "secret", "secret get", "secrets", "eject", "eject docker -h", "daemon --help", "auth", "db", "namespace", "exec -h", "test -h", "check -h", "secret set -h", "build --help", "build docker --help", "version -h"} {
		if got := w.run("", strings.Fields(args)...); got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "Usage:\n  encore ") {
			t.Errorf("encore %s: %+v", args, got)
		}
	}
}

func TestVersion(t *testing.T) {
	if got := newWorld(t, "").run("", "version"); got.code != 0 {
		t.Errorf("online: %+v", got)
	}
	if got := newWorld(t, `{"offline": true}`).run("", "version"); got.code != 1 || !strings.Contains(got.stderr, "could not check for update") {
		t.Errorf("offline: %+v", got)
	}
}

func TestAppRoot(t *testing.T) {
	w := newWorld(t, `{"compile_error": "found the app"}`)
	root := w.app
	w.app = filepath.Join(root, "a", "b")
	if err := os.MkdirAll(w.app, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := w.run("", "run", "-p", freePort(t)); got.code != 1 || got.stderr != "found the app\n" {
		t.Errorf("below: %+v", got)
	}
	all := []string{"run", "build docker a", "secret set --type dev A", "namespace list"}
	wants := func(want string) {
		t.Helper()
		for _, args := range all {
			if got := w.run("x", strings.Fields(args)...); got.code != 1 || got.stderr != "error: "+want+"\n" {
				t.Errorf("encore %s: %+v", args, got)
			}
		}
	}
	// A directory of that name is not walked past.
	if err := os.MkdirAll(filepath.Join(root, "a", "encore.app"), 0o755); err != nil {
		t.Fatal(err)
	}
	wants("encore.app is a directory, not a file")
	for _, path := range []string{"encore.app", "a/encore.app"} {
		if err := os.Remove(filepath.Join(root, path)); err != nil {
			t.Fatal(err)
		}
	}
	wants("no encore.app found in directory (or any of the parent directories)")
	w.write(filepath.Join(w.app, "package.json"), `{"dependencies": {"encore.dev": "1.58.6"}}`)
	wants("this directory has Encore code but isn't initialized as an app.\n\nRun 'encore app init' to initialize it, or 'encore app link <app-id>' to link an existing app.")
}

// TestAppFile has encore.app as encore app init writes it, and broken ones, of
// which only run tells in red.
func TestAppFile(t *testing.T) {
	w := newWorld(t, `{"compile_error": "parsed"}`)
	for text, want := range map[string]string{
		"{\n\t\"id\": \"\",\n\t\"lang\": \"typescript\",\n}\n": "parsed\n",
		"// the shop\n{\"id\": /* none */ \"shop\"}":           "parsed\n",
		"{id: 1}":           red("failed to resolve app: parse encore.app: appfile.Parse: hujson: line 1, column 2: invalid literal: id") + "\n",
		`{"lang": "cobol"}`: red(`failed to resolve app: parse encore.app: appfile.Parse: invalid lang "cobol"`) + "\n",
	} {
		w.write(filepath.Join(w.app, "encore.app"), text)
		if got := w.run("", "run", "-p", freePort(t)); got.code != 1 || got.stderr != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestNamespaces(t *testing.T) {
	w := newWorld(t, `{"compile_error": "went on"}`)
	for name, want := range map[string]string{"default": "went on\n", "other": red("failed to resolve namespace: namespace not found") + "\n"} {
		if got := w.run("", "run", "-p", freePort(t), "--namespace", name); got.code != 1 || got.stderr != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, args := range []string{"namespace list", "ns ls"} {
		if got := w.run("", strings.Fields(args)...); got.code != 0 || got.stdout != "NAME      ID      ACTIVE\ndefault   abc12   yes\n" {
			t.Errorf("encore %s: %+v", args, got)
		}
	}
}

// TestNotPlayed has commands that exist, but that nobody here has a use for.
func TestNotPlayed(t *testing.T) {
	w := newWorld(t, "")
	for _, args := range []string{"exec ./seed.ts", "test", "check", "db reset", "auth login", "auth logout"} {
		if got := w.run("", strings.Fields(args)...); got.code != exitStandIn {
			t.Errorf("encore %s: %+v", args, got)
		}
	}
}

func TestMisuse(t *testing.T) {
	for name, steer := range map[string]string{"unknown": `{"loged_in": true}`, "type": `{"offline": 1}`, "more": `{} {}`} {
		if got := newWorld(t, steer).run("", "version"); got.code != exitStandIn {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w := newWorld(t, "")
	w.env = w.env[:1]
	for _, args := range []string{"version", daemonMode, appMode} {
		if got := w.run("", args); got.code != exitStandIn {
			t.Errorf("encore %s without a state: %+v", args, got)
		}
	}
}

func TestCalls(t *testing.T) {
	w := newWorld(t, "")
	w.env = append(w.env, "DISABLE_ENCORE_TELEMETRY=1", "TOKEN=s3cret")
	w.run("", "version")
	w.run("value\n", "secret", "set", "--type", "dev", "A")
	w.run("", "run", "--env")
	text := w.read(w.state.file("calls.jsonl"))
	if strings.Contains(text, "s3cret") || strings.Contains(text, "value") {
		t.Errorf("values are noted:\n%s", text)
	}
	var got []string
	for line := range strings.Lines(text) {
		var c struct {
			Argv       []string          `json:"argv"`
			Cwd        string            `json:"cwd"`
			Env        map[string]string `json:"env"`
			EnvNames   []string          `json:"env_names"`
			StdinBytes int               `json:"stdin_bytes"`
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.Cwd == "" || len(c.Env) != 1 || c.Env["DISABLE_ENCORE_TELEMETRY"] != "1" || !slices.Contains(c.EnvNames, "TOKEN") {
			t.Errorf("%s", line)
		}
		got = append(got, strings.Join(c.Argv, " "))
		if want := map[bool]int{true: 6}[c.Argv[1] == "secret"]; c.StdinBytes != want {
			t.Errorf("%d bytes, want %d: %s", c.StdinBytes, want, line)
		}
	}
	if want := []string{"encore version", "encore secret set --type dev A", "encore run --env"}; !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}
