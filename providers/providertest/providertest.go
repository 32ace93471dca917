// Package providertest builds, for tests, what "make build" builds: a
// provider's module from its Go package, and the real binary with the built-in
// modules in it. Each module is built once in a test process; the go command's
// cache makes the next process quick.
package providertest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"
)

// modulePath is the Go module that all packages are in.
const modulePath = "github.com/stagecraft-dev/stagecraft"

// BuiltIns are the IDs of the providers that come with stagecraft; each one's
// package is providers/<id> without dashes.
var BuiltIns = []string{"encore-ts", "generic"}

// Builder builds into one directory.
type Builder struct {
	dir  string
	mu   sync.Mutex
	done map[string]error
}

// NewBuilder makes a builder for a directory that its owner removes.
func NewBuilder(dir string) *Builder {
	return &Builder{dir: dir, done: make(map[string]error)}
}

// Module builds the module of a package, named from the root of the
// repository, and returns the path of the file.
func (b *Builder) Module(pkg string) (string, error) {
	out := filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "-")+".wasm")
	return out, b.once(out, func() error {
		return goBuild([]string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"},
			"-tags", "stagecraft_small", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, modulePath+"/"+pkg)
	})
}

// BuiltIn builds the module of a built-in provider and returns the path of the file.
func (b *Builder) BuiltIn(id string) (string, error) {
	return b.Module("providers/" + strings.ReplaceAll(id, "-", ""))
}

// Program builds the program of a package, named from the root of the
// repository, and returns its path.
func (b *Builder) Program(pkg string) (string, error) {
	out := filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "-"))
	return out, b.once(out, func() error {
		return goBuild([]string{"CGO_ENABLED=0"}, "-trimpath", "-o", out, modulePath+"/"+pkg)
	})
}

// Binary builds stagecraft with its built-in providers and its helpers, as it is
// released, and returns its path. It is linked once for the tests of all packages.
func (b *Builder) Binary() (string, error) { return b.binary("stagecraft", "-tags", "builtin,helpers") }

// Plain is like Binary without helpers: the program executes itself instead.
func (b *Builder) Plain() (string, error) { return b.binary("plain/stagecraft", "-tags", "builtin") }

func (b *Builder) binary(name string, args ...string) (string, error) {
	out := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
		return "", err
	}
	overlay, err := b.overlay(out, nil)
	if err != nil {
		return "", err
	}
	program, err := linked("", append(args, "-trimpath", "-ldflags=-s -w", "-overlay", overlay, modulePath+"/cmd/stagecraft")...)
	if err != nil {
		return "", err
	}
	// A test identifies the processes of its own binary by this path.
	data, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	return out, os.WriteFile(out, data, 0o755)
}

// BinaryWith builds stagecraft into out with files of the repository replaced,
// absolute paths by absolute paths.
func (b *Builder) BinaryWith(out string, replaced map[string]string) error {
	overlay, err := b.overlay(out, replaced)
	if err != nil {
		return err
	}
	return goBuild([]string{"CGO_ENABLED=0"}, "-trimpath", "-ldflags=-s -w", "-tags", "builtin,helpers", "-overlay", overlay, "-o", out, modulePath+"/cmd/stagecraft")
}

// overlay writes the go command's overlay that has the built-in modules and the
// helpers in their places, and returns its path.
func (b *Builder) overlay(out string, replaced map[string]string) (string, error) {
	replace := maps.Clone(replaced)
	if replace == nil {
		replace = make(map[string]string)
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	for _, id := range BuiltIns {
		module, err := b.BuiltIn(id)
		if err != nil {
			return "", err
		}
		digest := module + ".sha256"
		if err := writeDigest(digest, module); err != nil {
			return "", err
		}
		if err := Compress(module+".s2", module); err != nil {
			return "", err
		}
		place := filepath.Join(root, "providers/builtin", id+".wasm")
		replace[place], replace[place+".sha256"] = module+".s2", digest
	}
	overlay := out + "-overlay.json"
	if err := writeOverlay(overlay, replace); err != nil {
		return "", err
	}
	for _, pkg := range []string{"hostfuncs/internal/guard/stagecraft-guard", "cmd/stagecraft-sandbox", "cmd/stagecraft-schema"} {
		name := filepath.Base(pkg)
		helper := out + "-" + name
		err := goBuild([]string{"CGO_ENABLED=0"}, "-trimpath", "-ldflags=-s -w", "-overlay", overlay, "-o", helper, modulePath+"/"+pkg)
		if err != nil {
			return "", err
		}
		if name == "stagecraft-schema" {
			if err := Compress(helper+".s2", helper); err != nil {
				return "", err
			}
			name, helper = name+".s2", helper+".s2"
		}
		replace[filepath.Join(root, "cmd/stagecraft/internal/helpers", name)] = helper
	}
	return overlay, writeOverlay(overlay, replace)
}

// writeDigest writes what sha256sum prints of a file.
func writeDigest(to, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(to, fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(data), file), 0o600)
}

// Compress writes a file that is another one compressed by s2, as one block.
func Compress(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, s2.EncodeBest(nil, data), 0o600)
}

func writeOverlay(file string, replace map[string]string) error {
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

func (b *Builder) once(out string, build func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err, ok := b.done[out]; ok {
		return err
	}
	b.done[out] = build()
	return b.done[out]
}

func goBuild(env []string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Root returns the directory of the repository.
func Root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// longEnv is set by "make test-long".
const longEnv = "STAGECRAFT_TEST_LONG"

// Long skips a test in "make test": one that repeats at length what a shorter test
// shows, or that builds another project's program.
func Long(t testing.TB) {
	t.Helper()
	if !IsLong() {
		t.Skip("takes long; make test-long runs it")
	}
}

// IsLong reports whether "make test-long" runs the tests.
func IsLong() bool { return os.Getenv(longEnv) == "1" }

// Rounds returns the number of rounds of a test that repeats the same with other
// inputs: all of them in "make test-long", and a fifth otherwise.
func Rounds(all int) int {
	if IsLong() {
		return all
	}
	return all / 5
}
