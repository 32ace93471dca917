// Package clitest runs the real stagecraft binary in tests: by scripts, in
// projects, and on terminals.
package clitest

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// Update makes a test write its results over the expected ones.
var Update = flag.Bool("update", false, "replace the expected output with the output")

// Hang is when a test ends a process that should have ended by itself. It is long, so
// that no result depends on the speed of the machine.
const Hang = 50 * time.Minute

// built has the builder of this test process.
var built struct {
	builder *providertest.Builder
	dir     string
}

// Main runs a package's tests; TestMain calls it.
func Main(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	flag.Parse()
	resetIgnored()
	if *Update && os.Getenv("CI") != "" {
		return 1, fmt.Errorf("-update is for a developer's machine, not for CI")
	}
	dir, err := os.MkdirTemp("", "stagecraft-test-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	built.dir, built.builder = dir, providertest.NewBuilder(dir)
	return m.Run(), nil
}

// resetIgnored gives children the default action of signals that were ignored when
// the tests started, as by nohup. stagecraft leaves an ignored signal ignored, so a
// test that sends it would hang. The runtime resets handled signals in children.
func resetIgnored() {
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

// Builder returns a builder whose directory is removed after the tests.
func Builder() *providertest.Builder { return built.builder }

var (
	binary = sync.OnceValues(func() (string, error) { return built.builder.Binary() })
	plain  = sync.OnceValues(func() (string, error) { return built.builder.Plain() })
)

// Binary returns the path of stagecraft as it is released, with its built-in providers and
// its helpers. The first call builds it.
func Binary() string {
	path, err := binary()
	if err != nil {
		panic(err)
	}
	return path
}

// Plain returns the path of stagecraft without its helpers, which executes itself instead.
// The first call builds it.
func Plain() string {
	path, err := plain()
	if err != nil {
		panic(err)
	}
	return path
}

var root = sync.OnceValues(providertest.Root)

// Root returns the directory of the repository.
func Root() string {
	path, err := root()
	if err != nil {
		panic(err)
	}
	return path
}

// Cache returns a directory for compiled modules that the tests of a package share.
func Cache() string { return filepath.Join(built.dir, "cache") }

// UntilCompiled is a command for dev that lasts until all modules that were run with a
// cache are compiled. The cache is the value of XDG_CACHE_HOME.
func UntilCompiled(cache string) []string {
	const script = `until [ "$(ls -d "$0"/* | wc -l)" = "$(ls -d "$0"/*/complete | wc -l)" ]; do sleep 0.05; done 2>/dev/null`
	return []string{"sh", "-c", script, filepath.Join(cache, "stagecraft", "wasm")}
}

// ReadFile returns a file's text.
func ReadFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// WriteFile writes a file.
func WriteFile(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
