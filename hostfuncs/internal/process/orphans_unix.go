//go:build unix

package process

import (
	"os"
	"sync"

	"github.com/stagecraft-dev/stagecraft/internal/children"
)

// orphanTracker attributes reparented processes to trees. A process whose parent
// has ended may become our own child and lose its ancestry. It is attributed by a
// process group or session of the tree, or because no other tree is left that it
// could come from. With guards, only a tree whose guard was killed has orphans.
type orphanTracker struct {
	mu    sync.Mutex
	trees map[*tree]bool
	// children are our own that have not been waited for, by pid.
	children map[int]bool
	// leaves are what the trees so far could leave behind: it is no orphan of
	// those that follow.
	leaves []Leaving
	// foreignChildren says that we had children before the first tree, as after an
	// exec by a shell with background jobs. An orphan may be one of theirs.
	foreignChildren bool
}

// orphans is the tracker of this process: the kernel keeps one list of children for
// each process.
var orphans = &orphanTracker{trees: map[*tree]bool{}, children: map[int]bool{}}

// start forks under the lock, so that a new child is not taken for an orphan.
func (f *orphanTracker) start(t *tree, fork func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin()
	if err := fork(); err != nil {
		return err
	}
	t.seen = map[int]uint64{t.root: 0}
	f.trees[t], f.children[t.process.Pid] = true, true
	f.leaves = append(f.leaves, t.leaves...)
	return nil
}

// begin looks at what we are before the first of our children is started. The lock
// is held.
func (f *orphanTracker) begin() {
	if len(f.children) == 0 {
		becomeReaper()
		f.foreignChildren = haveUnknownChildren()
	}
}

// startSignalProbe starts a signal probe, which belongs to no tree.
func (f *orphanTracker) startSignalProbe() *signalProbe {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin()
	w := startSignalProbe()
	if w != nil {
		f.children[w.process.Pid] = true
	}
	return w
}

// waited says that a child of ours has been waited for.
func (f *orphanTracker) waited(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.children, pid)
}

func (f *orphanTracker) leave(t *tree) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.trees, t)
}

// leaveEmpty removes a tree if nothing of it is left, and reports whether it did.
// Both happen under one lock: else the last two trees could each leave an orphan
// to the other.
func (f *orphanTracker) leaveEmpty(t *tree) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !t.isEmpty() {
		return false
	}
	delete(f.trees, t)
	return true
}

func (f *orphanTracker) look(t *tree) []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members(t)
}

// ownsOrphan reports whether an orphan belongs to a tree. One that could belong to
// several trees is attributed to none until one tree is left.
func (f *orphanTracker) ownsOrphan(t *tree, e entry) bool {
	for other := range f.trees {
		if other.knows(e) {
			return other == t
		}
	}
	return len(f.trees) == 1 && !f.foreignChildren
}

// members lists the living processes of a tree that are to end with it, and
// remembers them.
func (f *orphanTracker) members(t *tree) []entry {
	all := processes()
	children := byParent(all)
	var queue []entry
	for _, e := range all {
		if f.isRoot(t, e) {
			queue = append(queue, e)
		}
	}
	living := []entry{}
	visited := map[int]bool{os.Getpid(): true, 0: true, 1: true}
	for ; len(queue) > 0; queue = queue[1:] {
		e := queue[0]
		if visited[e.pid] {
			continue
		}
		visited[e.pid] = true
		if e.pid != t.root && leaves(f.leaves, e) {
			continue
		}
		queue = append(queue, children[e.pid]...)
		// One that a guard does not wait for, because it ends, comes to us.
		if e.zombie && !t.guards(e) && (e.ppid != os.Getpid() || f.children[e.pid] || reap(e.pid)) {
			continue
		}
		t.seen[e.pid] = e.start
		living = append(living, e)
	}
	return living
}

func byParent(all []entry) map[int][]entry {
	children := map[int][]entry{}
	for _, e := range all {
		children[e.ppid] = append(children[e.ppid], e)
	}
	return children
}

// isRoot reports whether a process is of a tree by itself, not through another
// of its members.
func (f *orphanTracker) isRoot(t *tree, e entry) bool {
	switch {
	case e.pid == t.root && !t.reaped:
		return true
	case f.children[e.pid], children.Known(e.pid):
		return false // a guard, another tree's program, or a process of our own
	case t.guards(e):
		return true
	}
	if start, ok := t.seen[e.pid]; ok && start == e.start {
		return true
	}
	return e.ppid == orphanParent() && f.ownsOrphan(t, e)
}
