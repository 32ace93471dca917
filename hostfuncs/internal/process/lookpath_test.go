//go:build unix

package process

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// programs is a directory to look around in:
//
//	a/tool b/tool       programs
//	a/plain             no program
//	a/directory/           a directory, with the program a/directory/deep
//	b/plain             a program
//	b/alias             a link to b/tool
//	b/up                a link to a/directory
//	here                a program
func programs(t testing.TB) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{
		"a/tool": 0o755, "b/tool": 0o755, "a/plain": 0o644, "a/directory/deep": 0o755, "b/plain": 0o755, "here": 0o755,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"b/alias": "tool", "b/up": "../a/directory", "b/gone": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLookPathFinds(t *testing.T) {
	root := programs(t)
	// A relative entry that were used would find the programs from here.
	t.Chdir(filepath.Join(root, "a"))
	for _, tt := range []struct{ name, dir, path, want string }{
		{"tool", "", "$/a:$/b", "a/tool"},
		{"tool", "", "$/b:$/a", "b/tool"},
		{"tool", "", "$/none:$/b", "b/tool"},
		{"tool", "", ":.:../a:$/b", "b/tool"},
		{"plain", "", "$/a:$/b", "b/plain"},
		{"alias", "", "$/b", "b/alias"},
		{"./here", "$", "", "here"},
		{"a/tool", "$", "$/b", "a/tool"},
		{"../here", "$/a", "", "here"},
		{"b/up/deep", "$", "", "b/up/deep"},
		{"b/up/../tool", "$", "", "a/tool"},
		{"./tool", "$/b/up/..", "", "a/tool"},
		{"$/b/alias", "relative", "", "b/alias"},
		{"$/b/../b/tool", "", "", "b/tool"},
	} {
		expand := func(s string) string { return strings.ReplaceAll(s, "$", root) }
		got, err := LookPath(expand(tt.name), expand(tt.dir), expand(tt.path))
		if err != nil || got != filepath.Join(root, tt.want) {
			t.Errorf("%s in %s, %s: got %s, %v", tt.name, tt.dir, tt.path, got, err)
		}
	}
}

func TestLookPathFindsNothing(t *testing.T) {
	root := programs(t)
	t.Chdir(filepath.Join(root, "a"))
	for _, tt := range []struct {
		name, dir, path string
		searched        []string
		message         string
	}{
		{"", "$", "$/a", nil, "the program's name is empty"},
		{"tool", "$", "", nil, "tool: not found, PATH has no absolute directory"},
		{"tool", "$", ".::a", nil, "tool: not found, PATH has no absolute directory"},
		{"nix", "$", "$/a:.:$/b", []string{"$/a", "$/b"}, "nix: not found in PATH"},
		{"gone", "$", "$/b", []string{"$/b"}, "gone: not found in PATH"},
		{"directory", "$", "$/a", []string{"$/a"}, "directory: not found in PATH"},
		{"./tool", "$", "$/a", []string{"$/tool"}, "./tool: no such file (looked for $/tool)"},
		{"here/tool", "$", "", []string{"$/here/tool"}, "here/tool: no such file (looked for $/here/tool)"},
		{"none/../here", "$", "", []string{"$/here"}, "none/../here: no such file (looked for $/here)"},
	} {
		expand := func(s string) string { return strings.ReplaceAll(s, "$", root) }
		for i := range tt.searched {
			tt.searched[i] = expand(tt.searched[i])
		}
		got, err := LookPath(tt.name, expand(tt.dir), expand(tt.path))
		e, ok := errors.AsType[*NotFoundError](err)
		if !ok || got != "" || e.Name != tt.name || !slices.Equal(e.Searched, tt.searched) {
			t.Errorf("%s: got %q, %#v", tt.name, got, err)
		} else if err.Error() != expand(tt.message) {
			t.Errorf("%s: got %q", tt.name, err)
		}
	}
}

func TestLookPathFindsNoProgram(t *testing.T) {
	root := programs(t)
	for _, tt := range []struct{ name, path, file, why string }{
		{"a/directory", "", "a/directory", "is a directory"},
		{"a/..", "", "", "is a directory"},
		{"./a/plain", "", "a/plain", "is not executable"},
		{"plain", filepath.Join(root, "a"), "a/plain", "is not executable"},
		{"../../../../../../../../../../dev/null", "", "-", "is not a regular file"},
	} {
		_, err := LookPath(tt.name, root, tt.path)
		e, ok := errors.AsType[*StartError](err)
		if !ok || e.Err.Error() != tt.why || tt.file != "-" && e.Program != filepath.Join(root, tt.file) {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	if _, err := LookPath("./tool", "a", ""); err == nil || !strings.Contains(err.Error(), "not absolute") {
		t.Errorf("with a relative directory: got %v", err)
	}
}

func FuzzLookPath(f *testing.F) {
	for _, name := range []string{"tool", "a/tool", "../x", "", ".", "..", "/", "a/../../b", "//", "a\x00b", "~/x"} {
		f.Add(name, "/usr/bin:/bin")
		f.Add(name, ":.:relative")
	}
	f.Fuzz(func(t *testing.T, name, path string) {
		dir := t.TempDir()
		got, err := LookPath(name, dir, path)
		switch {
		case err == nil && (!filepath.IsAbs(got) || filepath.Clean(got) != got):
			t.Errorf("%q led to %q", name, got)
		case err == nil && !strings.Contains(name, "/") && !slices.Contains(filepath.SplitList(path), filepath.Dir(got)) &&
			!slices.ContainsFunc(filepath.SplitList(path), func(f string) bool { return filepath.Clean(f) == filepath.Dir(got) }):
			t.Errorf("%q led to %q, outside of %q", name, got, path)
		case err != nil && err.Error() == "":
			t.Error("an error without words")
		}
	})
}
