package tree_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// process is the package that starts programs; sandbox starts its own helper alone.
const (
	process = "hostfuncs/internal/process"
	sandbox = "runtime/sandbox"
)

// starters are the standard library's functions that start a program. TestLayers
// forbids the package os/exec.
var starters = []string{"os.StartProcess", "syscall.StartProcess", "syscall.ForkExec", "syscall.Exec"}

// openers are the standard library's functions that open a file by its path. They
// block on a named pipe, open devices, and follow links.
var openers = []string{"os.Open", "os.ReadFile", "os.OpenFile", "os.Create", "os.WriteFile", "syscall.Open"}

// mayOpen lists the packages that may use openers; others use internal/safefile.
var mayOpen = map[string]string{
	"internal/safefile":          "it implements safe opening",
	"hostfuncs/internal/process": "it opens /proc, /dev/null, and a resolved program to say why it does not start",
	"hostfuncs/internal/confine": "it reads /proc",
}

// TestOpens: files are opened without blocking on a pipe.
func TestOpens(t *testing.T) {
	used := make(map[string]bool)
	for _, system := range []string{"linux", "darwin", "windows"} {
		for name, files := range hostCode(t, system) {
			if slices.ContainsFunc(files, func(f *ast.File) bool { return uses(f, openers) }) {
				used[name] = true
			}
		}
	}
	for name := range used {
		if mayOpen[name] == "" {
			t.Errorf("%s opens files by a function of %q: use internal/safefile", name, openers)
		}
	}
	for name := range mayOpen {
		if !used[name] {
			t.Errorf("%s does not open files: remove it from mayOpen", name)
		}
	}
}

// TestHostCode: only the guard, the helper of the sandbox and package quiet run code
// before main, and only one package starts programs, besides that helper.
func TestHostCode(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			var inits, starts []string
			for name, files := range hostCode(t, system) {
				for _, file := range files {
					if hasInit(file) {
						inits = append(inits, name)
					}
					if uses(file, starters) {
						starts = append(starts, name)
					}
				}
			}
			want := []string{sandbox}
			if system == "linux" {
				want = []string{"cmd/stagecraft/internal/quiet", process, sandbox}
			}
			slices.Sort(inits)
			slices.Sort(starts)
			if !slices.Equal(inits, want) {
				t.Errorf("init functions are in %q, want them in %q", inits, want)
			}
			if starts = slices.Compact(starts); !slices.Equal(starts, []string{process, sandbox}) {
				t.Errorf("programs are started by %q, want %s and %s alone", starts, process, sandbox)
			}
		})
	}
}

// hostCode parses our packages in the binary.
func hostCode(t *testing.T, system string) map[string][]*ast.File {
	t.Helper()
	code := make(map[string][]*ast.File)
	for _, p := range goList(t, []string{"GOOS=" + system, "GOARCH=amd64", "CGO_ENABLED=0"}, "-deps", "./cmd/stagecraft") {
		name, ours := strings.CutPrefix(p.ImportPath, repo)
		if !ours {
			continue
		}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			code[name] = append(code[name], parsed)
		}
	}
	return code
}

func hasInit(file *ast.File) bool {
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		f, ok := d.(*ast.FuncDecl)
		return ok && f.Recv == nil && f.Name.Name == "init"
	})
}

// uses reports whether a file refers to one of the functions.
func uses(file *ast.File, functions []string) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := s.X.(*ast.Ident); ok && slices.Contains(functions, of.Name+"."+s.Sel.Name) {
				found = true
			}
		}
		return true
	})
	return found
}
