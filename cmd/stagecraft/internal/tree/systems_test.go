package tree_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// systems are the supported ones. Combinations of others run in test-long only.
var systems = []struct {
	system, arch string
	long         bool
}{
	{"linux", "amd64", false},
	{"linux", "arm64", false},
	{"darwin", "arm64", false},
	{"darwin", "amd64", true},
	{"windows", "amd64", false},
	{"windows", "arm64", true},
}

// forOtherSystems calls check for every system except this one, which all other tests
// compile for.
func forOtherSystems(t *testing.T, check func(t *testing.T, env []string)) {
	own := providertest.GoEnv("GOOS") + "-" + providertest.GoEnv("GOARCH")
	for _, s := range systems {
		if name := s.system + "-" + s.arch; name != own {
			t.Run(name, func(t *testing.T) {
				if s.long {
					providertest.Long(t)
				}
				check(t, append(os.Environ(), "GOOS="+s.system, "GOARCH="+s.arch, "CGO_ENABLED=0"))
			})
		}
	}
}

// TestTypeChecks checks the types of our code and its tests for other systems. Of other
// modules it checks only declarations, which takes a fifth of the time;
// TestCrossCompiles compiles them.
func TestTypeChecks(t *testing.T) {
	forOtherSystems(t, func(t *testing.T, env []string) {
		loaded, err := packages.Load(&packages.Config{
			Context: t.Context(), Mode: packages.LoadAllSyntax, Tests: true, Dir: root, Env: env, ParseFile: parseForTypes,
		}, ours...)
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for p := range packages.Postorder(loaded) {
			inOurs := strings.HasPrefix(p.PkgPath, repo)
			if inOurs {
				checked++
			}
			for _, err := range p.Errors {
				// Without bodies, other modules' imports look unused.
				if inOurs || err.Kind != packages.TypeError {
					t.Error(err)
				}
			}
		}
		if checked < 50 {
			t.Errorf("checked only %d of our packages", checked)
		}
	})
}

// parseForTypes parses a file, without function bodies for other modules.
func parseForTypes(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if file == nil || !isOfOthers(name) {
		return file, err
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			f.Body = nil
		}
	}
	return file, err
}

func isOfOthers(file string) bool {
	for _, name := range []string{"GOROOT", "GOMODCACHE"} {
		if strings.HasPrefix(file, providertest.GoEnv(name)+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// TestCrossCompiles builds the program for every other system. It does not
// optimise, which takes a third less time without a cache.
func TestCrossCompiles(t *testing.T) {
	providertest.Long(t)
	forOtherSystems(t, func(t *testing.T, env []string) {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-gcflags=all=-N -l", "-ldflags=-s -w", "-o", t.TempDir(), "./cmd/stagecraft")
		cmd.Dir, cmd.Env = root, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
