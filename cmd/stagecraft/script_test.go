package main_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

var update = flag.Bool("update", false, "write what the scripts print into them")

// built has the real binary and where modules are built.
var built struct {
	builder *providertest.Builder
	dir     string
	bin     string
	root    string
}

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	flag.Parse()
	if *update && os.Getenv("CI") != "" {
		return 1, fmt.Errorf("-update is for a developer's machine, not for CI")
	}
	dir, err := os.MkdirTemp("", "stagecraft-script-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	built.dir, built.builder = dir, providertest.NewBuilder(dir)
	if built.bin, err = built.builder.Binary(); err != nil {
		return 1, err
	}
	if built.root, err = providertest.Root(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// TestScripts runs each script of testdata/script with the real binary. What
// scripts have beside testscript's own:
//
//   - $GUESTS is the folder of hostile modules, $ROOT the repository, $BIN the
//     folder of the binary;
//   - $CACHE is a cache folder that all scripts share, so that a provider is
//     compiled once; a script that is about the cache sets XDG_CACHE_HOME;
//   - a port is never a number in a script, which others may run at the same
//     time, but one that "port NAME" finds and "expand FILE" writes into files;
//   - condition [engine] is true where a Docker engine is given.
func TestScripts(t *testing.T) {
	p := scriptParams(t.TempDir(), built.bin)
	p.Dir, p.UpdateScripts = filepath.Join("testdata", "script"), *update
	testscript.Run(t, p)
}

// scriptParams are those of all scripts, which run the binary bin.
func scriptParams(cache, bin string) testscript.Params {
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                commands,
		Condition:           condition,
		Setup:               func(e *testscript.Env) error { return setup(e, cache, filepath.Dir(bin)) },
	}
}

func setup(e *testscript.Env, cache, bin string) error {
	home := filepath.Join(e.WorkDir, ".home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	e.Values[interruptedKey{}] = new(interrupted)
	e.Setenv("HOME", home)
	e.Setenv("XDG_CACHE_HOME", cache)
	e.Setenv("GUESTS", filepath.Join(built.root, "runtime", "sandbox", "testdata"))
	e.Setenv("ROOT", built.root)
	e.Setenv("BIN", bin)
	e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	// Programs that the examples start keep their own caches.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY"} {
		e.Setenv(name, goEnv(name))
	}
	if host := os.Getenv(engineEnv); host != "" {
		e.Setenv("DOCKER_HOST", host)
	} else {
		e.Setenv("DOCKER_HOST", "unix://"+filepath.Join(e.WorkDir, "no-engine.sock"))
	}
	return nil
}
