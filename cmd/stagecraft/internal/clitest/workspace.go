package clitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
	"github.com/stagecraft-dev/stagecraft/runtime/audit"
)

// Workspace is a project for the real binary.
type Workspace struct {
	Dir, Home string
	// URL is served by dev until it is interrupted; "" if dev ends by itself.
	URL string
	// Environ overrides variables of every run.
	Environ []string
	// Stdout, unless nil, replaces the terminal as standard output of a run on one.
	Stdout io.Writer
}

// NewWorkspace copies an example, or creates an empty project for "".
func NewWorkspace(t *testing.T, example string) Workspace {
	t.Helper()
	w := Workspace{Dir: filepath.Join(t.TempDir(), "shop"), Home: t.TempDir()}
	if example == "" {
		if err := os.Mkdir(w.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return w
	}
	if err := os.CopyFS(w.Dir, os.DirFS(filepath.Join(Root(), "examples", example))); err != nil {
		t.Fatal(err)
	}
	return w
}

// Write writes a file of the project.
func (w Workspace) Write(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join(w.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// Run runs stagecraft.
func (w Workspace) Run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := w.Command(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	code = ExitOf(t, cmd.Run())
	return out.String(), errs.String(), code
}

// Command returns a command of stagecraft, which is killed after [Hang].
func (w Workspace) Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Hang)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, Binary(), args...)
	cmd.Dir = w.Dir
	cmd.Env = append(os.Environ(), "HOME="+w.Home, "XDG_CACHE_HOME="+Cache(), "XDG_DATA_HOME=", "CI=", "npm_config_update_notifier=false")
	if host := providertest.EngineHost(); host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+host)
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		cmd.Env = append(cmd.Env, name+"="+providertest.GoEnv(name))
	}
	cmd.Env = append(cmd.Env, w.Environ...)
	return cmd
}

// ExitOf returns the exit code in the error of a command.
func ExitOf(t *testing.T, err error) int {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return 0
}

// Perform runs a command to its end. A server is interrupted once it has answered, and
// its exit code is its program's.
func (w Workspace) Perform(t *testing.T, args ...string) {
	t.Helper()
	if w.URL == "" {
		w.Want(t, 0, args...)
		return
	}
	var output bytes.Buffer
	cmd := w.Command(t, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, err := Get(ctx, w.URL)
		answered <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("%v: ended before it answered: %v\n%s", args, err, output.String())
	case err := <-answered:
		if err := errors.Join(err, cmd.Process.Signal(os.Interrupt)); err != nil {
			t.Error(err)
		}
	}
	if code := ExitOf(t, <-ended); !slices.Contains([]int{0, 1, 130}, code) {
		t.Fatalf("%v: exit code %d\n%s", args, code, output.String())
	}
}

// Want runs stagecraft, which must exit with code, and returns its standard output.
func (w Workspace) Want(t *testing.T, code int, args ...string) string {
	t.Helper()
	stdout, stderr, got := w.Run(t, args...)
	if got != code {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout
}

// Effects returns the effects in an audit log, in order.
func (w Workspace) Effects(t *testing.T, log string) []string {
	t.Helper()
	effects := []string{}
	report, err := audit.Read(filepath.Join(w.Dir, log), func(r audit.Record) error {
		if r.Type == audit.TypeBegin {
			effects = append(effects, r.Asked)
		}
		return nil
	})
	if err != nil || len(report.Findings) > 0 {
		t.Fatalf("%v, %v", err, report.Findings)
	}
	return effects
}

// Planned returns the effects of a plan, in order.
func (w Workspace) Planned(t *testing.T, command string) []string {
	t.Helper()
	var plan struct {
		Steps []struct {
			Asked   string
			Allowed bool
		}
	}
	if err := json.Unmarshal([]byte(w.Want(t, 0, "plan", command, "--json")), &plan); err != nil {
		t.Fatal(err)
	}
	planned := []string{}
	for _, step := range plan.Steps {
		planned = append(planned, step.Asked)
	}
	return planned
}

// Drop adds the provider player to the project, and trusts it.
func (w Workspace) Drop(t *testing.T) {
	t.Helper()
	file, err := Builder().Module("providers/providertest/player")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(t, ".stagecraft/providers/player.wasm", data)
	w.Want(t, 0, "provider", "trust", "player", "--yes")
}

// Play writes a configuration of calls for player.
func (w Workspace) Play(t *testing.T, calls []map[string]any) {
	t.Helper()
	config := map[string]any{"backend": map[string]any{
		"provider": "player", "providers": map[string]any{"player": map[string]any{"dev": calls, "build": calls}},
	}}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(t, "stagecraft.yml", data)
}

// GoBuild runs the go command in a directory, with variables set.
func GoBuild(t testing.TB, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
