//go:build linux || darwin

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// stateEnv names the state directory.
const stateEnv = "ENCORE_STANDIN_STATE"

// steering is standin.json of the state directory: how the stand-in behaves. An unknown
// key is an error. Without the file, every command succeeds.
type steering struct {
	// LoggedIn false means that no user is logged in, whatever the login's file says.
	LoggedIn *bool `json:"logged_in"`
	// Offline takes away the network, which version and secret set need.
	Offline bool `json:"offline"`
	// SlowStartMS is how long run and build take to compile.
	SlowStartMS int `json:"slow_start_ms"`
	// SlowSecretMS is how long secret set takes to ask the platform, once it has
	// read its input and is noted.
	SlowSecretMS int `json:"slow_secret_ms"`
	// LingerMS is how long the app of run outlives its command; 700 where it is
	// left out.
	LingerMS *int `json:"linger_ms"`
	// CrashAfterMS lets the app of run crash, that long after it is ready.
	CrashAfterMS int `json:"crash_after_ms"`
	// Status is the HTTP status that the app of run answers with; 200 where it is
	// left out.
	Status int `json:"status"`
	// Mute lets the app of run accept connections, but never answer.
	Mute bool `json:"mute"`
	// DaemonDies lets run and build end as if the daemon had died: with exit
	// code 0 and without output.
	DaemonDies bool `json:"daemon_dies"`
	// NoImage lets build end with exit code 0, without an image and without the
	// line that says so.
	NoImage bool `json:"no_image"`
	// LyingSuccess lets build print that line without an image.
	LyingSuccess bool `json:"lying_success"`
	// NeedsInfra is an app that needs an infra configuration, for build; so is
	// one with {"standin": {"needs_infra": true}} in its encore.app.
	NeedsInfra bool `json:"needs_infra"`
	// CompileError is what run and build print before they fail.
	CompileError string `json:"compile_error"`
	// Environments are the names of the app's environments on the platform.
	Environments []string `json:"environments"`
	// SecretFailure is what secret set prints before it fails.
	SecretFailure string `json:"secret_failure"`
	// PrintEnv are variables that the app of run prints once it is ready.
	PrintEnv []string `json:"print_env"`
}

func (s steering) lingerMS() int {
	if s.LingerMS == nil {
		return 700
	}
	return *s.LingerMS
}

// state is the path of the state directory.
type state string

func openState() (state, error) {
	dir := os.Getenv(stateEnv)
	if dir == "" {
		return "", errors.New(stateEnv + " is not set; this is a program for tests")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	s := state(dir)
	if !s.exists() {
		return "", fmt.Errorf("%s=%s is not a directory", stateEnv, dir)
	}
	return s, nil
}

func (s state) file(name string) string { return filepath.Join(string(s), name) }

func (s state) exists() bool {
	info, err := os.Stat(string(s))
	return err == nil && info.IsDir()
}

func (s state) has(name string) bool {
	_, err := os.Lstat(s.file(name))
	return err == nil
}

// replace writes a file at once, so that nobody reads half of it.
func (s state) replace(name string, data []byte) error {
	f, err := os.CreateTemp(string(s), "."+name+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.file(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// lock takes a lock that ends with the process or by unlock.
func (s state) lock(name string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(s.file(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

func readSteering(s state) (steering, error) {
	var steer steering
	data, err := os.ReadFile(s.file("standin.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return steer, nil
	}
	if err != nil {
		return steer, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&steer); err != nil {
		return steer, fmt.Errorf("standin.json: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return steer, errors.New("standin.json: more follows its value")
	}
	return steer, nil
}

// call is one invocation.
type call struct {
	state state
	steer steering
	argv  []string
}

// shown are the variables whose values are noted; of others the names are.
var shown = []string{"DISABLE_ENCORE_TELEMETRY", "NODE_EXTRA_CA_CERTS"}

// note appends the call to calls.jsonl of the state directory, a line for each:
// argv from the program's name on, cwd, env with the values of a few variables,
// env_names with the names of all others, and stdin_bytes, which is 0 but for
// secret set. That one is noted when its input has ended. The command's process
// ID is a line of pids.
func (c *call) note(stdinBytes int) {
	env, names := environment(shown)
	cwd, err := os.Getwd()
	if err != nil {
		os.Exit(misuse(err))
	}
	line, err := json.Marshal(map[string]any{
		"argv": c.argv, "cwd": cwd, "env": env, "env_names": names, "stdin_bytes": stdinBytes,
	})
	if err == nil {
		err = errors.Join(
			appendFile(c.state.file("pids"), fmt.Appendln(nil, os.Getpid())),
			appendFile(c.state.file("calls.jsonl"), append(line, '\n')),
		)
	}
	if err != nil {
		os.Exit(misuse(err))
	}
}

// environment is what this process has: the values of some variables, and the
// names of the others.
func environment(shown []string) (values map[string]string, names []string) {
	values, names = map[string]string{}, []string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if slices.Contains(shown, name) {
			values[name] = value
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return values, names
}

func appendFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
