package watch

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
	"github.com/stagecraft-dev/stagecraft/providers/providertest"
)

// TestEventsMissNothing changes a tree at random while a watch follows: it reports all
// that comparing the files before and after finds, and knows the same files.
func TestEventsMissNothing(t *testing.T) {
	for seed := range uint64(providertest.Rounds(200)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { eventsMissNothing(t, seed) })
	}
}

func FuzzEventsMissNothing(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(eventsMissNothing)
}

func eventsMissNothing(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	p := newProject(t, "src/a/x.js", "src/b", "lib/a/x.js", "lib/c", "out/")
	w := p.still("src/**", "lib/*/*.js", "!**/*.o")
	oracle := p.compared()
	for round := range 12 {
		var done []string
		ended := make(chan struct{})
		meanwhile := r.IntN(2) == 0
		go func() {
			defer close(ended)
			for range 1 + r.IntN(12) {
				done = append(done, p.change(r))
			}
		}()
		if meanwhile {
			p.follow(w) // while files change
		}
		<-ended
		p.follow(w)
		oracle.lookAgain()
		for path, change := range oracle.changes {
			if path != markDir && filepath.Dir(path) != markDir && change.differs() && (w.tree.changes[path] == nil || !w.tree.changes[path].differs()) {
				t.Errorf("round %d: %s changed and is not reported", round, path)
			}
		}
		if got, want := states(w.tree), states(oracle); !maps.Equal(got, want) {
			t.Errorf("round %d: knows %v, want %v", round, got, want)
		}
		if t.Failed() {
			for _, what := range done {
				t.Log(what)
			}
			return
		}
		clear(w.tree.changes)
		clear(oracle.changes)
	}
}

// compared is a tree of the same files without events.
func (p *project) compared() *tree {
	p.t.Helper()
	root, err := safefile.NewDir(p.root)
	p.must(err)
	t := newTree(root, p.opts)
	p.t.Cleanup(t.close)
	t.ctx = p.t.Context()
	t.enter(t.top)
	t.lookAgain()
	clear(t.changes)
	return t
}

// states are the states of all files but marks.
func states(t *tree) map[string]state {
	all := make(map[string]state)
	for _, nodes := range t.nodes {
		for _, n := range nodes {
			for name, s := range n.files {
				if n.path != markDir {
					all[path.Join(n.path, name)] = s
				}
			}
		}
	}
	return all
}

// change changes something at random, and says what.
func (p *project) change(r *rand.Rand) string {
	pick := func() string {
		name := []string{"src", "src", "lib", "out"}[r.IntN(4)]
		for range r.IntN(4) {
			name = path.Join(name, []string{"a", "b", "c", "x.js", "y.o"}[r.IntN(5)])
		}
		return name
	}
	one, two := pick(), pick()
	switch r.IntN(9) {
	case 0, 1, 2:
		if os.MkdirAll(filepath.Dir(p.abs(one)), 0o755) == nil {
			_ = os.WriteFile(p.abs(one), fmt.Append(nil, r.Uint64()), 0o600)
		}
		return "write " + one
	case 3:
		_ = os.MkdirAll(p.abs(one), 0o755)
		return "mkdir " + one
	case 4:
		_ = os.RemoveAll(p.abs(one))
		return "remove " + one
	case 5, 6:
		_ = os.Rename(p.abs(one), p.abs(two))
		return "rename " + one + " " + two
	case 7:
		target, err := filepath.Rel(filepath.Dir(p.abs(two)), p.abs(one))
		if err == nil {
			_ = os.Symlink(target, p.abs(two))
		}
		return "link " + two + " to " + one
	default:
		names := slices.Sorted(maps.Keys(map[string]bool{one: true, two: true}))
		for _, name := range names {
			_ = os.Chmod(p.abs(name), 0o755)
		}
		return "chmod " + one
	}
}
