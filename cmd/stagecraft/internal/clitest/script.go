package clitest

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// Command is a command that a script can use.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Scripts are the parameters of scripts that run the binary bin, with a cache of
// compiled modules that they share, and with commands of their own. What scripts
// have beside testscript's own:
//
//   - $GUESTS is the directory of hostile modules, $ROOT the repository, $BIN
//     the directory of the binary;
//   - $CACHE is the shared cache, so that a provider is compiled once; a script
//     that is about the cache sets XDG_CACHE_HOME;
//   - a port is never a number in a script, which others may run at the same
//     time, but one that "port NAME" finds and "expand FILE" writes into files;
//   - "timeout -s KILL $HANG" is before a run that could hang;
//   - condition [engine] is true where a Docker engine is given.
func Scripts(cache, bin string, more map[string]Command) testscript.Params {
	all := maps.Clone(commands)
	maps.Copy(all, more)
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
	// Programs that the examples start keep their own caches.
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
