package hostile_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/tools/go/packages"

	"github.com/stagecraft-dev/stagecraft/cmd/stagecraft/internal/clitest"
)

// mostMutations bounds the number of mutations, which must be kept in step with the code.
const mostMutations = 170

// mutation removes one guard. It is a file of testdata/mutations with the guard's name:
//
//	what the guard does, in a sentence
//	in: the function that has it, as Type.Method or Function; none at the top level
//	test: PACKAGE TEST, a Go test that has the attack; none if scripts have it
//	-- old --
//	code of that function
//	-- new --
//	the same without the guard; it still compiles
//
// The old code is found by its tokens in the functions of that name, wherever they
// are in the repository: neither the file, the layout nor comments matter.
type mutation struct {
	guard, why, function string
	pkg, test            string // of a Go test, or empty
	old, new             string
}

// mutations reads all of them, sorted by guard.
func mutations(t *testing.T) []mutation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "mutations", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []mutation
	for _, file := range files {
		m, err := readMutation(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		all = append(all, m)
	}
	return all
}

func readMutation(file string) (m mutation, err error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return m, err
	}
	guard, named := strings.CutSuffix(filepath.Base(file), ".txtar")
	header, test, _ := strings.Cut(strings.TrimSpace(string(archive.Comment)), "\ntest: ")
	why, function, _ := strings.Cut(header, "\nin: ")
	pkg, test, both := strings.Cut(test, " ")
	if !named || why == "" || strings.Contains(why+function+test, "\n") || both != (pkg != "") ||
		len(archive.Files) != 2 || archive.Files[0].Name != "old" || archive.Files[1].Name != "new" {
		return m, fmt.Errorf("expected a sentence, perhaps lines \"in: FUNCTION\" and \"test: PACKAGE TEST\", and the parts old and new")
	}
	return mutation{guard, why, function, pkg, test, string(archive.Files[0].Data), string(archive.Files[1].Data)}, nil
}

// hasTest reports whether the package has the Go test.
func (m mutation) hasTest() bool {
	files, err := filepath.Glob(filepath.Join(clitest.Root(), m.pkg, "*_test.go"))
	return err == nil && slices.ContainsFunc(files, func(file string) bool {
		data, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(data), "func "+m.test+"(t *testing.T)")
	})
}

// place is where the old code of a mutation is.
type place struct {
	file       *sourceFile
	start, end int // bytes of the file's text
}

// apply returns the file's text without the guard.
func (p place) apply(m mutation) string {
	return p.file.text[:p.start] + strings.TrimSpace(m.new) + p.file.text[p.end:]
}

// find returns the only place of the old code in its function.
func (m mutation) find(files []*sourceFile) (place, error) {
	old := tokensOf(m.old)
	if len(old) == 0 || tokenText(old) == tokenText(tokensOf(m.new)) {
		return place{}, fmt.Errorf("the old code is empty, or the same as the new")
	}
	var inside []place
	var elsewhere []string
	for _, f := range files {
		for _, p := range f.find(old) {
			if in := f.function(p); in == m.function {
				inside = append(inside, p)
			} else {
				elsewhere = append(elsewhere, f.path+": "+in)
			}
		}
	}
	if len(inside) != 1 {
		return place{}, fmt.Errorf("expected the old code once in %q, found it %d times; elsewhere: %q", m.function, len(inside), elsewhere)
	}
	return inside[0], nil
}

// sourceFile is a Go file of the host, with its tokens.
type sourceFile struct {
	path   string
	text   string
	tokens []goToken
	joined string // tokenText(tokens)
	index  []int  // where each token begins in joined
	syntax func() (*token.FileSet, *ast.File)
}

// sources reads all Go files that are not tests.
var sources = sync.OnceValues(func() ([]*sourceFile, error) {
	var all []*sourceFile
	err := filepath.WalkDir(clitest.Root(), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "guest-sdk" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		all = append(all, newSourceFile(path, string(data)))
		return nil
	})
	return all, err
})

func newSourceFile(path, text string) *sourceFile {
	f := &sourceFile{path: path, text: text, tokens: tokensOf(text)}
	var b strings.Builder
	for _, t := range f.tokens {
		f.index = append(f.index, b.Len())
		b.WriteString(t.text)
		b.WriteByte('\n')
	}
	f.joined = b.String()
	f.syntax = sync.OnceValues(func() (*token.FileSet, *ast.File) {
		fset := token.NewFileSet()
		syntax, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			panic(err)
		}
		return fset, syntax
	})
	return f
}

// find returns the places of a sequence of tokens.
func (f *sourceFile) find(old []goToken) []place {
	var all []place
	want := tokenText(old)
	for from := 0; ; {
		i := strings.Index(f.joined[from:], want)
		if i < 0 {
			return all
		}
		i += from
		from = i + 1
		if first, whole := slices.BinarySearch(f.index, i); whole {
			last := f.tokens[first+len(old)-1]
			all = append(all, place{f, f.tokens[first].offset, last.offset + last.length})
		}
	}
}

// function names the function of a place, as Type.Method or Function; it is empty at the
// top level.
func (f *sourceFile) function(p place) string {
	fset, syntax := f.syntax()
	for _, d := range syntax.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fset.Position(fn.Pos()).Offset > p.start || fset.Position(fn.End()).Offset < p.end {
			continue
		}
		if fn.Recv == nil {
			return fn.Name.Name
		}
		of := fn.Recv.List[0].Type
		if pointer, ok := of.(*ast.StarExpr); ok {
			of = pointer.X
		}
		return types.ExprString(of) + "." + fn.Name.Name
	}
	return ""
}

// TestMutationsFit requires that each mutation fits the code, that its result
// compiles, and that an attack names it.
func TestMutationsFit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("some mutations are of files for Linux")
	}
	files, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, m := range mutations(t) {
		named[m.guard] = false
	}
	if len(named) > mostMutations {
		t.Errorf("there are %d mutations, at most %d are kept", len(named), mostMutations)
	}
	for _, a := range attacks(t) {
		for _, guard := range a.guards {
			if _, known := named[guard]; !known {
				t.Errorf("%s: unknown guard %q", a.file, guard)
			}
			named[guard] = true
		}
	}
	places := make(map[string]place)
	for _, m := range mutations(t) {
		if m.test != "" && !m.hasTest() {
			t.Errorf("%s: %s has no %s", m.guard, m.pkg, m.test)
		}
		if named[m.guard] == (m.test != "") {
			t.Errorf("%s: expected attacks that name it, or a test", m.guard)
		}
		if places[m.guard], err = m.find(files); err != nil {
			t.Errorf("%s: %v", m.guard, err)
			delete(places, m.guard)
		}
	}
	check := newChecker(t, places)
	for _, m := range mutations(t) {
		if p, found := places[m.guard]; found {
			check.compiles(t, m, p)
		}
	}
}

// checker checks the types of packages in which one file is replaced.
type checker map[string]*packages.Package // by directory

// newChecker loads the packages of the places.
func newChecker(t *testing.T, places map[string]place) checker {
	t.Helper()
	var dirs []string
	for _, p := range places {
		dirs = append(dirs, filepath.Dir(p.file.path))
	}
	slices.Sort(dirs)
	// With the same flags as other builds of these tests, everything is compiled once.
	loaded, err := packages.Load(&packages.Config{
		Mode:       packages.LoadSyntax,
		Dir:        clitest.Root(),
		Env:        append(os.Environ(), "CGO_ENABLED=0"),
		BuildFlags: []string{"-trimpath"},
	}, slices.Compact(dirs)...)
	if err != nil {
		t.Fatal(err)
	}
	c := make(checker)
	for _, p := range loaded {
		for _, err := range p.Errors {
			t.Error(err)
		}
		c[filepath.Dir(p.GoFiles[0])] = p
	}
	return c
}

func (c checker) compiles(t *testing.T, m mutation, p place) {
	t.Helper()
	pkg := c[filepath.Dir(p.file.path)]
	changed, err := parser.ParseFile(pkg.Fset, p.file.path, p.apply(m), parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", m.guard, err)
		return
	}
	files, found := slices.Clone(pkg.Syntax), false
	for i, f := range files {
		if pkg.Fset.Position(f.Package).Filename == p.file.path {
			files[i], found = changed, true
		}
	}
	if !found {
		t.Errorf("%s: %s is not built here", m.guard, p.file.path)
	}
	config := types.Config{Importer: importer(pkg.Imports)}
	if _, err := config.Check(pkg.PkgPath, pkg.Fset, files, nil); err != nil {
		t.Errorf("%s: %v", m.guard, err)
	}
}

// importer returns imported packages.
type importer map[string]*packages.Package

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if p := i[path]; p != nil && p.Types != nil {
		return p.Types, nil
	}
	return nil, fmt.Errorf("%s is not loaded", path)
}
