package process

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// gathered is what a watcher was told.
type gathered struct {
	uses   []confine.Use
	missed []string
}

func (g *gathered) Used(u confine.Use)   { g.uses = append(g.uses, u) }
func (g *gathered) Missed(reason string) { g.missed = append(g.missed, reason) }

func (g *gathered) has(t *testing.T, kind confine.UseKind, path string) {
	t.Helper()
	if !slices.Contains(g.uses, confine.Use{Kind: kind, Path: path}) {
		t.Errorf("%c %s was not told; got %v", kind, path, g.uses)
	}
}

// TestWatched: what is told is of the program and all that it starts, also of what
// left it, and all of it is told by the end.
func TestWatched(t *testing.T) {
	c := shell(t, `cat a >/dev/null; (setsid sh -c 'echo x >b; mkdir d; rm b' & wait); cat gone; exit 3`)
	if err := os.WriteFile(filepath.Join(c.Dir, "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g := new(gathered)
	c.Watcher = g
	if res := run(t, c); res.ExitCode != 3 || res.Killed {
		t.Errorf("got %+v", res)
	}
	dir, err := filepath.EvalSymlinks(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	g.has(t, confine.UseRead, sh)
	g.has(t, confine.UseRead, filepath.Join(dir, "a"))
	g.has(t, confine.UseMake, dir)
	g.has(t, confine.UseMkdir, filepath.Join(dir, "d"))
	g.has(t, confine.UseWrite, "/dev/null")
	if len(g.missed) > 0 {
		t.Errorf("missed: %q", g.missed)
	}
	seen := make(map[confine.Use]bool)
	for _, u := range g.uses {
		if seen[u] {
			t.Errorf("%v was told twice", u)
		}
		seen[u] = true
		if filepath.Base(u.Path) == "gone" {
			t.Errorf("%v was told, and isn't there", u)
		}
	}
	wantNoneLeft(t, c)
}

// TestWatchedEnds: being watched keeps nothing from being ended.
func TestWatchedEnds(t *testing.T) {
	for name, script := range remnants {
		t.Run(name, func(t *testing.T) {
			c := shell(t, script)
			c.Stdout, c.Stderr, c.Watcher = expect("-"), expect("-"), new(gathered)
			if res := run(t, c); res.ExitCode != 3 || res.Left != 0 {
				t.Errorf("got %+v", res)
			}
			wantNoneLeft(t, c)
		})
	}
}
