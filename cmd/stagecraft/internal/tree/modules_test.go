package tree_test

import (
	"encoding/json"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

const (
	rootModule = "github.com/stagecraft-dev/stagecraft"
	sdkModule  = rootModule + "/guest-sdk"
)

// alone is a directory outside the workspace, where the go command gets our modules from
// a proxy as if they were released.
type alone struct {
	dir string
	env []string
}

func newAlone(t *testing.T) alone {
	t.Helper()
	env, err := providertest.ModuleProxy(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// With CGO_ENABLED=0 and -trimpath, other modules are compiled once for all module
	// caches.
	return alone{t.TempDir(), append(os.Environ(), append(env, "CGO_ENABLED=0")...)}
}

// run runs the go command and returns its standard output.
func (a alone) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = a.dir, a.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// unpack extracts a module of the proxy into the directory.
func (a alone) unpack(t *testing.T, path string) {
	t.Helper()
	var m struct{ Dir string }
	if err := json.Unmarshal([]byte(a.run(t, "mod", "download", "-json", path+"@latest")), &m); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(a.dir, os.DirFS(m.Dir)); err != nil {
		t.Fatal(err)
	}
}

// TestSDKAlone checks that guest-sdk builds and passes its tests without the
// repository, and that its authors download nothing else.
func TestSDKAlone(t *testing.T) {
	a := newAlone(t)
	a.unpack(t, sdkModule)
	a.run(t, "mod", "tidy", "-diff")
	a.run(t, "vet", "./...")
	a.run(t, "test", "./...")
	if got, want := a.run(t, "list", "-m", "all"), sdkModule+"\n"; got != want {
		t.Errorf("the module needs\n%s\nwant\n%s", got, want)
	}
}

// TestSDKExamples checks that each function that authors call has an Example
// that runs.
func TestSDKExamples(t *testing.T) {
	for _, name := range []string{"abi", "backend", "settings"} {
		var files []*ast.File
		fset := token.NewFileSet()
		paths, err := filepath.Glob(filepath.Join(root, "guest-sdk", name, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		runs := make(map[string]bool)
		for _, e := range doc.Examples(files...) {
			runs[e.Name] = e.Output != "" || e.EmptyOutput
		}
		for _, file := range files {
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if ok && f.Recv == nil && f.Name.IsExported() && !strings.HasSuffix(fset.File(f.Pos()).Name(), "_test.go") && !runs[f.Name.Name] {
					t.Errorf("%s.%s has no Example with an output", name, f.Name.Name)
				}
			}
		}
	}
}

// TestRootAlone checks that the root module compiles, tests included, with
// guest-sdk from a proxy, and that tests of packages that import it pass.
func TestRootAlone(t *testing.T) {
	a := newAlone(t)
	a.unpack(t, rootModule)
	// go.sum has no line for a guest-sdk that is not released.
	a.env = append(a.env, "GOFLAGS=-modcacherw -mod=mod -trimpath")
	a.run(t, "vet", "./...")
	a.run(t, "test", "./internal/yamldoc", "./runtime/backend/...", "./runtime/lock")
	if _, err := os.Stat(filepath.Join(a.dir, "guest-sdk")); err == nil {
		t.Error("the root's module contains guest-sdk")
	}
}

// TestInstall checks what a replace directive would break.
func TestInstall(t *testing.T) {
	a := newAlone(t)
	a.env = append(a.env, "GOBIN="+a.dir)
	a.run(t, "install", "-trimpath", rootModule+"/cmd/stagecraft@latest")
	if out := a.run(t, "version", "-m", filepath.Join(a.dir, "stagecraft"+providertest.GoEnv("GOEXE"))); !strings.Contains(out, "\tdep\t"+sdkModule+"\t") {
		t.Errorf("the program was built without %s:\n%s", sdkModule, out)
	}
}
