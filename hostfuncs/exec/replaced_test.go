package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// filesIn makes a project of empty files.
func filesIn(t *testing.T, files ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestSingleFiles(t *testing.T) {
	root := filesIn(t, "a", "b", "dir/c", "src/d")
	one, tree := func(path string) capability.Subtree { return capability.Subtree{Path: path} }, func(path string) capability.Subtree { return capability.Subtree{Path: path, Below: true} }
	reads := func(read ...capability.Subtree) capability.Confinement {
		return capability.Confinement{Mode: capability.ConfineBestEffort, Files: &capability.ConfinedFiles{Read: read}}
	}
	writes := func(c capability.Confinement, write ...capability.Subtree) capability.Confinement {
		c.Files.Write = write
		return c
	}
	for name, tt := range map[string]struct {
		policies []capability.Confinement
		want     string
	}{
		"files, one that is not there":          {[]capability.Confinement{reads(one("a"), one("dir/c"), one("new"))}, "a dir/c new"},
		"a directory alone":                     {[]capability.Confinement{reads(tree("src"), one("dir"))}, ""},
		"below a directory":                     {[]capability.Confinement{reads(tree("src"), one("src/d"), one("src/new"))}, ""},
		"the whole project":                     {[]capability.Confinement{reads(tree("."), one("a"))}, ""},
		"to be written below one to be read":    {[]capability.Confinement{writes(reads(tree("src")), one("src/d"))}, "src/d"},
		"to be read below one to be written":    {[]capability.Confinement{writes(reads(one("src/d")), tree("src"))}, ""},
		"any file":                              {[]capability.Confinement{{Mode: capability.ConfineBestEffort}}, ""},
		"of two policies":                       {[]capability.Confinement{reads(one("a"), one("b")), reads(one("b"), one("new"))}, "b"},
		"a file of one, all of the other":       {[]capability.Confinement{reads(one("a"), one("new")), reads(tree("."))}, "a new"},
		"a file, and any file":                  {[]capability.Confinement{reads(one("a")), {Mode: capability.ConfineBestEffort}}, "a"},
		"a file with a directory's rule":        {[]capability.Confinement{reads(tree("a"))}, "a"},
		"a file that is twice there":            {[]capability.Confinement{writes(reads(one("a")), one("a"))}, "a"},
		"one that could be made in a directory": {[]capability.Confinement{writes(reads(one("src/new")), tree("src"))}, ""},
	} {
		c, err := NewConfinement(ConfinementOptions{Project: files.NewProject(root), Policies: tt.policies})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, path := range c.singles.paths {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, filepath.ToSlash(rel))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// notices keeps warnings.
type notices struct {
	mu   sync.Mutex
	said []string
}

func (n *notices) warn(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, err.Error())
}

// TestTooManySingleFiles: if files are in more directories than can be watched, one
// warning says so, and the others are watched.
func TestTooManySingleFiles(t *testing.T) {
	var names []string
	for i := range maxWatchedDirs {
		names = append(names, fmt.Sprintf("d%03d/x", i))
	}
	root := filesIn(t, names...)
	c := &Confinement{opts: ConfinementOptions{Project: files.NewProject(root)}, support: confine.Support{Landlock: confine.FilesABI}}
	for _, file := range names {
		c.singles.paths = append(c.singles.paths, filepath.Join(root, filepath.FromSlash(file)))
	}
	var n notices
	c.opts.Replaced = n.warn
	for range 3 {
		c.watchSingles().close()
	}
	if len(n.said) != 1 || !strings.Contains(n.said[0], "can be watched (too many): restart after one is replaced") {
		t.Errorf("got %q", n.said)
	}
}

// TestReplacedAgain: a file is reported once, and once more if it is replaced after
// another command was started.
func TestReplacedAgain(t *testing.T) {
	root := filesIn(t, "a")
	file := filepath.Join(root, "a")
	c := &Confinement{opts: ConfinementOptions{Project: files.NewProject(root)}, support: confine.Support{Landlock: confine.FilesABI}}
	c.singles.paths = []string{file}
	var n notices
	c.opts.Replaced = n.warn
	replace := func(w *startedWith) {
		t.Helper()
		if err := os.WriteFile(file+".new", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		// Both are there at once, so that they are two.
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		w.created(file)
	}
	first := c.watchSingles()
	replace(first)
	replace(first)
	second := c.watchSingles()
	second.created(file)
	if want := []string{"a was replaced since start; restart to use it"}; !slices.Equal(n.said, want) {
		t.Errorf("got %q, want %q", n.said, want)
	}
	replace(second)
	first.created(file)
	if len(n.said) != 2 {
		t.Errorf("got %q, want 2", n.said)
	}
	first.close()
	second.close()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if line := second.replaced(file); line != "" {
		t.Errorf("one that is gone: %q", line)
	}
}

// TestWatchesFromAbove: a directory is watched before those in it, or what is created in
// between would be missed.
func TestWatchesFromAbove(t *testing.T) {
	root := filesIn(t, "deep/er/x.js", "deep/y.js")
	w := &startedWith{c: &Confinement{opts: ConfinementOptions{Project: files.NewProject(root)}}}
	w.watch([]string{filepath.Join(root, "deep/er/x.js"), filepath.Join(root, "deep/y.js")})
	if w.watcher == nil {
		t.Fatal("nothing is watched")
	}
	t.Cleanup(func() { w.watcher.Close() })
	want := []string{root, filepath.Join(root, "deep"), filepath.Join(root, "deep/er")}
	if !slices.Equal(w.dirs, want) {
		t.Errorf("got %q, want %q", w.dirs, want)
	}
}
