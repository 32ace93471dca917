package watch

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// hangs is a limit for what would otherwise never end.
const hangs = 50 * time.Minute

// project is a project directory with a watch.
type project struct {
	t       testing.TB
	root    string
	opts    Options
	changed chan struct{}

	mu       sync.Mutex
	warnings []string
	marks    int
}

// newProject makes a directory with files; a name that ends in / is a directory.
func newProject(t testing.TB, names ...string) *project {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, root: root, changed: make(chan struct{}, 1)}
	p.opts = Options{
		Project: files.NewProject(root), Debounce: time.Millisecond,
		Keep: func(string) bool { return true },
		Changed: func() {
			select {
			case p.changed <- struct{}{}:
			default:
			}
		},
		Warn: func(err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.warnings = append(p.warnings, err.Error())
		},
	}
	for _, name := range names {
		if strings.HasSuffix(name, "/") {
			p.mkdir(name)
		} else {
			p.write(name, "old")
		}
	}
	return p
}

func (p *project) abs(name string) string { return filepath.Join(p.root, filepath.FromSlash(name)) }

func (p *project) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) mkdir(name string) { p.t.Helper(); p.must(os.MkdirAll(p.abs(name), 0o755)) }

func (p *project) write(name, text string) {
	p.t.Helper()
	p.mkdir(filepath.Dir(name))
	p.must(os.WriteFile(p.abs(name), []byte(text), 0o600))
}

func (p *project) rename(from, to string) { p.t.Helper(); p.must(os.Rename(p.abs(from), p.abs(to))) }
func (p *project) remove(name string)     { p.t.Helper(); p.must(os.RemoveAll(p.abs(name))) }
func (p *project) link(to, name string)   { p.t.Helper(); p.must(os.Symlink(to, p.abs(name))) }

func (p *project) warned() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.warnings)
}

func patterns(t testing.TB, texts ...string) []capability.FilePattern {
	t.Helper()
	var all []capability.FilePattern
	for _, text := range texts {
		p, err := capability.ParseFilePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// watch starts a watch of patterns; those that begin with ! are ignored. It also watches
// the directory of marks.
func (p *project) watch(texts ...string) *Watch {
	p.t.Helper()
	p.choose(texts)
	w, err := Start(p.t.Context(), p.opts)
	p.must(err)
	p.t.Cleanup(w.Close)
	return w
}

// still is a watch without its goroutine: [project.reported] follows events and reports.
func (p *project) still(texts ...string) *Watch {
	p.t.Helper()
	p.choose(texts)
	root, err := safefile.NewDir(p.root)
	p.must(err)
	w := &Watch{opts: p.opts, tree: newTree(root, p.opts)}
	p.t.Cleanup(w.tree.close)
	w.tree.begin(p.t.Context())
	return w
}

// reported is the report of all that happened until now.
func (p *project) reported(w *Watch) Change {
	p.t.Helper()
	p.follow(w)
	w.report()
	c, _ := w.Take()
	return c
}

// follow follows the events of all that happened until now.
func (p *project) follow(w *Watch) {
	p.t.Helper()
	p.marks++
	mark := fmt.Sprintf("%s/%d", markDir, p.marks)
	p.write(mark, "")
	for w.tree.changes[mark] == nil {
		select {
		case <-w.tree.events.wake:
		case <-time.After(hangs):
			p.t.Fatal("no event came")
		}
		w.tree.follow()
	}
	delete(w.tree.changes, mark)
}

func (p *project) choose(texts []string) {
	p.mkdir(markDir)
	p.opts.Paths = patterns(p.t, markDir)
	for _, text := range texts {
		if text, ignored := strings.CutPrefix(text, "!"); ignored {
			p.opts.Ignore = append(p.opts.Ignore, patterns(p.t, text)...)
		} else {
			p.opts.Paths = append(p.opts.Paths, patterns(p.t, text)...)
		}
	}
}

const markDir = ".mark"

// changes returns what was reported of all that happened until now. Events come in their
// order, so all of it was reported once a later change is.
func (p *project) changes(w *Watch) []string {
	p.t.Helper()
	p.marks++
	mark := fmt.Sprintf("%s/%d", markDir, p.marks)
	p.write(mark, "")
	all := make(map[string]bool)
	for {
		select {
		case <-p.changed:
		case <-time.After(hangs):
			p.t.Fatal("no change was reported")
		}
		c, _ := w.Take()
		for _, path := range c.Paths {
			all[path] = true
		}
		if all[mark] {
			maps.DeleteFunc(all, func(path string, _ bool) bool { return strings.HasPrefix(path, markDir) })
			return slices.Sorted(maps.Keys(all))
		}
	}
}

// want expects exactly these changes.
func (p *project) want(w *Watch, paths ...string) {
	p.t.Helper()
	slices.Sort(paths)
	if got := p.changes(w); !slices.Equal(got, paths) {
		p.t.Errorf("got %q, want %q", got, paths)
	}
}
