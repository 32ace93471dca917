package watch

import (
	"maps"
	"slices"

	"github.com/stagecraft-dev/stagecraft/internal/safefile"
)

// state is that of a file, the zero value of a missing one. Of a link to a file it has
// both.
type state struct{ own, target safefile.Info }

// pending is a change that is not reported yet.
type pending struct {
	before, after state
	written       bool // and so changed even if the states are equal
	reals         []string
}

// report adds what changed to what can be taken.
func (w *Watch) report() {
	var c Change
	changes := w.tree.changes
	w.tree.changes = make(map[string]*pending)
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		if len(c.Paths) > MaxPaths {
			break
		}
		if p := changes[path]; p.differs() && !slices.ContainsFunc(p.reals, func(real string) bool { return !w.opts.Keep(real) }) {
			c.Paths = append(c.Paths, path)
		}
	}
	if len(c.Paths) == 0 {
		return
	}
	w.mu.Lock()
	w.ready = w.ready.with(c)
	w.mu.Unlock()
	w.opts.Changed()
}

func (p *pending) differs() bool {
	return p.before != p.after || p.written && p.after != state{}
}

// with is both changes as one.
func (c Change) with(other Change) Change {
	paths := slices.Concat(c.Paths, other.Paths)
	slices.Sort(paths)
	paths = slices.Compact(paths)
	kept := min(len(paths), MaxPaths)
	return Change{paths[:kept:kept], c.More || other.More || len(paths) > kept}
}

// note adds a change of a file, at its path in the patterns' terms and those with links
// resolved.
func (t *tree) note(path string, before, after state, written bool, reals ...string) {
	p := t.changes[path]
	if p == nil {
		p = &pending{before: before}
		t.changes[path] = p
	}
	p.after = after
	p.written = p.written || written
	for _, real := range reals {
		if real != "" && !slices.Contains(p.reals, real) {
			p.reals = append(p.reals, real)
		}
	}
	if !p.differs() {
		delete(t.changes, path) // such as a file that an editor created and removed
	}
	t.touched = true
}
