package main_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

// TestScripts runs each script of testdata/script with the real binary and the first
// engine for tests. [clitest.Scripts] has the commands of scripts.
func TestScripts(t *testing.T) {
	p := clitest.Scripts(t.TempDir(), clitest.Binary(), nil)
	p.Dir = filepath.Join("testdata", "script")
	testscript.Run(t, p)
}

// TestEngineScripts runs the scripts that use an engine with the other engines.
func TestEngineScripts(t *testing.T) {
	all, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	uses := slices.DeleteFunc(all, func(file string) bool {
		return !strings.Contains(clitest.ReadFile(t, file), "\n[!engine] ")
	})
	if len(uses) < 8 {
		t.Fatalf("only %d scripts use an engine", len(uses))
	}
	first := providertest.NeedEngine(t)
	providertest.Engines(t, func(t *testing.T, e providertest.Engine) {
		if e.Host == first {
			return // TestScripts has run them
		}
		p := clitest.Scripts(t.TempDir(), clitest.Binary(), nil)
		p.Files = uses
		setup := p.Setup
		p.Setup = func(env *testscript.Env) error {
			err := setup(env)
			env.Setenv("DOCKER_HOST", e.Host)
			return err
		}
		testscript.Run(t, p)
	})
}
