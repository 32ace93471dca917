//go:build unix

package process

import (
	"os"
	"sync"
)

// family tells whose an orphan is. A process of a tree whose parent has ended
// may become our own child and lose its ancestry, so it is known by what is
// left: a process group or session that was the tree's, or that there is no
// other tree it could come from. Where there are guards, that is so but for a
// tree whose guard was killed.
type family struct {
	mu    sync.Mutex
	trees map[*tree]bool
	// children are our own that have not been waited for, by pid.
	children map[int]bool
	// leaves are what the trees so far could leave behind: it is no orphan of
	// those that follow.
	leaves []Leaving
	// strangers says that we had children before the first of the trees, as
	// after an exec by a shell with background jobs. An orphan may be theirs.
	strangers bool
}

// kin is the family of this process. The kernel keeps one list of children for
// a process, so there can be but one.
var kin = &family{trees: map[*tree]bool{}, children: map[int]bool{}}

// start forks while nobody looks for orphans, so that no new child is taken
// for one.
func (f *family) start(t *tree, fork func() error) error {
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
func (f *family) begin() {
	if len(f.children) == 0 {
		becomeReaper()
		f.strangers = haveChildren()
	}
}

// startWitness starts a witness, which is no member of any tree.
func (f *family) startWitness() *witness {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begin()
	w := startWitness()
	if w != nil {
		f.children[w.process.Pid] = true
	}
	return w
}

// waited says that a child of ours has been waited for.
func (f *family) waited(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.children, pid)
}

func (f *family) leave(t *tree) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.trees, t)
}

// leaveEmpty lets a tree go if nothing of it is left, and reports whether that
// is so. Both happen in one step: else the last two trees could each leave an
// orphan to the other.
func (f *family) leaveEmpty(t *tree) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !t.isEmpty() {
		return false
	}
	delete(f.trees, t)
	return true
}

func (f *family) look(t *tree) []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members(t)
}

// ownsOrphan reports whether an orphan is of a tree. One that could be of
// several trees is of none until but one of them is left.
func (f *family) ownsOrphan(t *tree, e entry) bool {
	for other := range f.trees {
		if other.knows(e) {
			return other == t
		}
	}
	return len(f.trees) == 1 && !f.strangers
}

// members lists the living processes of a tree that are to end with it, and
// remembers them.
func (f *family) members(t *tree) []entry {
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
func (f *family) isRoot(t *tree, e entry) bool {
	switch {
	case e.pid == t.root && !t.reaped:
		return true
	case f.children[e.pid]:
		return false // a guard, or another tree's program
	case t.guards(e):
		return true
	}
	if start, ok := t.seen[e.pid]; ok && start == e.start {
		return true
	}
	return e.ppid == orphanage() && f.ownsOrphan(t, e)
}
