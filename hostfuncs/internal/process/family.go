//go:build unix

package process

import (
	"os"
	"sync"
)

// family tells whose an orphan is. A process of a tree whose parent has ended
// becomes our own child and loses its ancestry, so it is known by what is left:
// a process group or session that was the tree's, or that there is no other
// tree it could come from.
type family struct {
	mu    sync.Mutex
	trees map[*tree]bool
	// strangers says that we had children before the first of the trees, as
	// after an exec by a shell with background jobs. An orphan may be theirs.
	strangers bool
}

// kin is the family of this process. The kernel keeps one list of children for
// a process, so there can be but one.
var kin = &family{trees: map[*tree]bool{}}

// start forks while nobody looks for orphans, so that no new child is taken
// for one.
func (f *family) start(t *tree, fork func() (*os.Process, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.trees) == 0 {
		becomeReaper()
		f.strangers = haveChildren()
	}
	process, err := fork()
	if err != nil {
		return err
	}
	t.process, t.root = process, process.Pid
	t.seen = map[int]uint64{t.root: 0}
	f.trees[t] = true
	return nil
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
	if !t.surelyEmpty() && (len(f.members(t)) > 0 || !listable && t.groupLives()) {
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

// isChild reports whether a process is some tree's direct child.
func (f *family) isChild(pid int) bool {
	for t := range f.trees {
		if t.root == pid {
			return true
		}
	}
	return false
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

// members lists the living processes of a tree, and remembers them.
func (f *family) members(t *tree) []entry {
	living, children := []entry{}, map[int][]entry{}
	var queue []entry
	for _, e := range processes() {
		children[e.ppid] = append(children[e.ppid], e)
		if f.isRoot(t, e) {
			queue = append(queue, e)
		}
	}
	visited := map[int]bool{os.Getpid(): true, 0: true, 1: true}
	for ; len(queue) > 0; queue = queue[1:] {
		e := queue[0]
		if visited[e.pid] {
			continue
		}
		visited[e.pid] = true
		queue = append(queue, children[e.pid]...)
		if e.zombie && (e.ppid != os.Getpid() || f.isChild(e.pid) || reap(e.pid)) {
			continue
		}
		t.seen[e.pid] = e.start
		living = append(living, e)
	}
	return living
}

// isRoot reports whether a process is of a tree by itself, not through its
// parent.
func (f *family) isRoot(t *tree, e entry) bool {
	if e.pid == t.root {
		return !t.reaped
	}
	if start, ok := t.seen[e.pid]; ok && start == e.start {
		return true
	}
	return e.ppid == orphanage() && f.ownsOrphan(t, e)
}
