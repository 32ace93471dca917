package clitest

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// Command is a script command.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Scripts returns parameters for scripts that run the binary bin, with a shared cache
// of compiled modules and more commands. In addition to testscript's features:
//
//   - $GUESTS is the directory of hostile modules, $ROOT the repository, and $BIN the
//     directory of the binary.
//   - The cache is shared, so that a provider is compiled once; a script about the
//     cache sets XDG_CACHE_HOME.
//   - Scripts have no fixed ports, because they run at the same time: "port NAME"
//     finds a free one and "expand FILE" writes it into files.
//   - "timeout -s KILL $HANG" precedes a run that could hang.
//   - The condition [engine] is true if there is a Docker engine, [root] for root.
//   - The map commands lists the commands with their usage.
func Scripts(cache, bin string, more map[string]Command) testscript.Params {
	all := make(map[string]Command)
	maps.Copy(all, more)
	for name, c := range commands {
		all[name] = c.script()
	}
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *Update,
		Cmds:                all,
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
	e.Setenv("XDG_STATE_HOME", filepath.Join(cache, "state"))
	e.Setenv("GUESTS", filepath.Join(Root(), "runtime", "sandbox", "testdata"))
	e.Setenv("ROOT", Root())
	e.Setenv("BIN", bin)
	e.Setenv("HANG", strconv.Itoa(int(Hang.Seconds())))
	e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	// Programs of the examples have their own caches.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY"} {
		e.Setenv(name, providertest.GoEnv(name))
	}
	if host := providertest.EngineHost(); host != "" {
		e.Setenv("DOCKER_HOST", host)
	} else {
		e.Setenv("DOCKER_HOST", "unix://"+filepath.Join(e.WorkDir, "no-engine.sock"))
	}
	return nil
}
