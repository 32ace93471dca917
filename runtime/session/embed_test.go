package session_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// projectFiles are the files of the example's project.
var projectFiles = map[string]string{
	"stagecraft.yml":     "backend: {provider: generic, providers: {generic: {dev: {command: [echo, hello]}}}}\n",
	"company.policy.yml": "version: 1\nproviders: {generic: {exec: [echo hello], build: {tags: ['shop:*'], contexts: [.], outputs: [image]}, confine: off}}\n",
	"Dockerfile":         "FROM scratch\nCOPY Dockerfile /\n",
}

func makeProject(dir string) error {
	if err := os.Mkdir(filepath.Join(dir, "providers"), 0o755); err != nil {
		return err
	}
	for name, text := range projectFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	build, err := os.MkdirTemp("", "stagecraft-modules-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(build)
	module, err := providertest.NewBuilder(build).Module("providers/generic")
	if err != nil {
		return err
	}
	return os.Rename(module, filepath.Join(dir, "providers", "generic.wasm"))
}

// exampleProject makes a project and changes to it, until back is called.
func exampleProject() (back func()) {
	dir, err := os.MkdirTemp("", "stagecraft-example-")
	if err != nil {
		panic(err)
	}
	args, before, cache := os.Args, must(os.Getwd()), os.Getenv("XDG_CACHE_HOME")
	if err := makeProject(dir); err != nil {
		panic(err)
	}
	if err := errors.Join(os.Chdir(dir), os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))); err != nil {
		panic(err)
	}
	return func() {
		os.Args = args
		if err := errors.Join(os.Chdir(before), os.Setenv("XDG_CACHE_HOME", cache)); err != nil {
			panic(err)
		}
		_ = os.RemoveAll(dir)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestEmbedded builds the example's program in a separate module. The program runs and
// builds a project with a real provider.
func TestEmbedded(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	example := string(must(os.ReadFile("example_test.go")))
	source, _, ok := strings.Cut(strings.Replace(example, "package session_test", "package main", 1), "// Example runs")
	if !ok {
		t.Fatal("the example has no beginning")
	}
	root := must(providertest.Root())
	dir, project := t.TempDir(), t.TempDir()
	gomod := strings.Replace(string(must(os.ReadFile(filepath.Join(root, "go.mod")))), "module github.com/stagecraft-dev/stagecraft", "module shop.test", 1)
	gomod += fmt.Sprintf("\nrequire github.com/stagecraft-dev/stagecraft v0.0.0\nreplace github.com/stagecraft-dev/stagecraft => %[1]s\nreplace github.com/stagecraft-dev/stagecraft/guest-sdk => %[1]s/guest-sdk\n", root)
	for name, text := range map[string]string{"main.go": source, "go.mod": gomod, "go.sum": string(must(os.ReadFile(filepath.Join(root, "go.sum"))))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := makeProject(project); err != nil {
		t.Fatal(err)
	}
	shop := filepath.Join(dir, "shop")
	command := func(dir, name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := command(dir, "go", "build", "-o", shop, "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(project, "cache"))
	for _, tt := range []struct {
		want string
		args []string
	}{{"hello\n", []string{"dev"}}, {"built shop:1\n", []string{"build", "shop:1"}}} {
		if out, err := command(project, shop, tt.args...); err != nil || !strings.HasSuffix(out, tt.want) {
			t.Errorf("%v: got %q, %v, want %q", tt.args, out, err, tt.want)
		}
	}
	if _, err := os.Stat(filepath.Join(project, "image", "index.json")); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(filepath.Join(project, "image")); err != nil {
		t.Fatal(err)
	}
	if out, err := command(project, shop, "build", "other:1"); err == nil || !strings.Contains(out, "denied by policy") {
		t.Errorf("a tag that the policy does not allow: got %q, %v", out, err)
	}
}
