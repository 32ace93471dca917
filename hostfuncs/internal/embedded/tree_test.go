package embedded

import (
	"archive/tar"
	"strings"
	"testing"
)

// aTree has a line for each file: its name, and -> and where it leads if it is a
// link; a name with a slash at its end is a directory.
func aTree(t testing.TB, lines ...string) *tree {
	t.Helper()
	count := 0
	tr := newTree(&count)
	tr.op = 1
	for _, line := range lines {
		name, target, isLink := strings.Cut(line, " -> ")
		f := &file{kind: tar.TypeReg, mode: 0o644, content: text("")}
		switch {
		case isLink:
			f = &file{kind: tar.TypeSymlink, link: target}
		case strings.HasSuffix(name, "/"):
			f = &file{kind: tar.TypeDir, mode: 0o755}
		}
		name = strings.Trim(name, "/")
		dir := tr.root
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			var err error
			if dir, err = tr.mkdirAll(name[:i], file{mode: 0o755}); err != nil {
				t.Fatal(err)
			}
			name = name[i+1:]
		}
		if _, err := tr.put(dir, name, f); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// TestResolve has links that lead up, around and out.
func TestResolve(t *testing.T) {
	tr := aTree(t, "a/b/c", "l -> a/b", "abs -> /a", "up -> ../../..", "a/up -> ..", "a/out -> ../../../a/b", "self -> self",
		"x -> y", "y -> x", "gone -> no/where", "chain -> l", "dot -> .", "a/root -> /", "slash -> a/")
	for _, tt := range []struct {
		name   string
		follow bool
		want   string // empty is too many links
		there  bool
	}{
		{"/a/b/c", true, "/a/b/c", true},
		{"a//./b/", true, "/a/b", true},
		{"..", true, "/", true},
		{"../../a/../a", true, "/a", true},
		{"l/c", true, "/a/b/c", true},
		{"l", true, "/a/b", true},
		{"l", false, "/l", true},
		{"l/", false, "/l", true},
		{"chain/c", false, "/a/b/c", true},
		{"abs/b", true, "/a/b", true},
		{"up/a", true, "/a", true},
		{"up", true, "/", true},
		{"a/up/a/up/a", true, "/a", true},
		{"a/out/c", true, "/a/b/c", true},
		{"a/root/a/b", true, "/a/b", true},
		{"dot/dot/a", true, "/a", true},
		{"slash/b", true, "/a/b", true},
		{"gone", true, "/no/where", false},
		{"gone/x/../y", true, "/no/where/y", false},
		{"new/../a", true, "/a", true},
		{"a/b/c/d", true, "/a/b/c/d", false},
		{"self", true, "", false},
		{"self", false, "/self", true},
		{"x/y", false, "", false},
	} {
		got, n, err := tr.resolve(tt.name, tt.follow)
		if (err != nil) != (tt.want == "") || got != tt.want || (n != nil) != tt.there {
			t.Errorf("%s, %v: %q, %v, %v", tt.name, tt.follow, got, n != nil, err)
		}
	}
}

func TestMatches(t *testing.T) {
	tr := aTree(t, "a.go", "b.go", "d/a.go", "d/e/f.go", "l -> d", `star\*`, "odd[1]")
	for pattern, want := range map[string]string{
		"*.go": "/a.go /b.go", "?.go": "/a.go /b.go", "/d/*": "/d/a.go /d/e", "*/*.go": "/d/a.go", "l/*.go": "/d/a.go",
		"*/*/*": "/d/e/f.go", "[ab].go": "/a.go /b.go", "none*": "", "a.go": "/a.go", "none": "/none", ".": "/",
		"../d/../*.go": "/a.go /b.go", "d*": "/d", "odd[[]1]": "/odd[1]",
	} {
		got, err := tr.matches(pattern)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v, %v, want %s", pattern, got, err, want)
		}
	}
	for _, pattern := range []string{"[", "none/*"} {
		if got, err := tr.matches(pattern); err == nil {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

func TestTreesAreBounded(t *testing.T) {
	tr := aTree(t, "a/b")
	*tr.count = nodeLimit
	if _, err := tr.put(tr.root, "x", &file{}); err != errTooManyFiles {
		t.Errorf("put: %v", err)
	}
	if _, err := tr.clone(); err != errTooManyFiles {
		t.Errorf("clone: %v", err)
	}
	if _, err := tr.put(tr.root, "a", &file{kind: tar.TypeDir}); err != nil {
		t.Errorf("what is there: %v", err)
	}
}

// TestCloneIsApart changes a copy of a tree.
func TestCloneIsApart(t *testing.T) {
	tr := aTree(t, "a/b", "c")
	c, err := tr.clone()
	if err != nil {
		t.Fatal(err)
	}
	_, dir, err := c.resolve("a", true)
	if err != nil || dir == nil {
		t.Fatal(dir, err)
	}
	if _, err := c.put(dir, "new", &file{kind: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, n, err := tr.resolve("a/new", true); n != nil || err != nil {
		t.Errorf("the other tree has it as well: %v, %v", n, err)
	}
	if _, n, err := c.resolve("a/new", true); n == nil || n.path() != "/a/new" || err != nil {
		t.Errorf("%v, %v", n, err)
	}
}
