// Package clitest runs the real stagecraft binary in tests: by scripts, in
// projects, and on terminals.
package clitest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// Update asks a test to write what it gets over what it expects.
var Update = flag.Bool("update", false, "write what is printed over what is expected")

// Hang is when a test gives up on what should have ended by itself. It only
// catches what hangs, so that no result depends on the speed of the machine.
const Hang = 50 * time.Minute

// built is where this process of tests builds.
var built struct {
	builder *providertest.Builder
	dir     string
}

// Main runs a package's tests. It is to be called by TestMain.
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

// Builder builds into a directory that ends with the tests.
func Builder() *providertest.Builder { return built.builder }

var binary = sync.OnceValues(func() (string, error) { return built.builder.Binary() })

// Binary is the path of stagecraft with its built-in providers, which is built
// when a test first asks for it.
func Binary() string {
	path, err := binary()
	if err != nil {
		panic(err)
	}
	return path
}

var root = sync.OnceValues(providertest.Root)

// Root is the directory of the repository.
func Root() string {
	path, err := root()
	if err != nil {
		panic(err)
	}
	return path
}

// Cache is a directory for compiled modules that the tests of a package share.
func Cache() string { return filepath.Join(built.dir, "cache") }

// ReadFile is a file's text.
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
