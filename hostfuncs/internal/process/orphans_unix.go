//go:build unix

package process

import (
	"os"
	"slices"
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
	// children are our guards, programs and probes that have not been waited for, by pid.
	// Package children has what else this program starts for itself: begin has to tell
	// them apart.
	children map[int]bool
	// daemons are those of all trees so far. They are not orphans of later trees.
	daemons []Daemon
	// foreignChildren says that we had children before the first tree, as after an
	// exec by a shell with background jobs. An orphan may descend from them.
	foreignChildren bool
}

// orphans is the tracker of this process: the kernel keeps one list of children for
// each process.
var orphans = &orphanTracker{trees: map[*tree]bool{}, children: map[int]bool{}}

// start forks under the lock, so that a new child is not taken for an orphan.
func (o *orphanTracker) start(t *tree, fork func() error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	if err := fork(); err != nil {
		return err
	}
	t.seen = map[int]uint64{t.root: 0}
	o.trees[t], o.children[t.process.Pid] = true, true
	o.daemons = append(o.daemons, t.daemons...)
	return nil
}

// begin prepares this process before its first child starts. The caller has the lock.
func (o *orphanTracker) begin() {
	if len(o.children) == 0 {
		becomeReaper()
		o.foreignChildren = haveUnknownChildren()
	}
}

// startSignalProbe starts a signal probe, which belongs to no tree.
func (o *orphanTracker) startSignalProbe() *signalProbe {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begin()
	p := startSignalProbe()
	if p != nil {
		o.children[p.process.Pid] = true
	}
	return p
}

// own reports whether a process is one that this program waits for itself.
func (o *orphanTracker) own(pid int) bool { return o.children[pid] || children.Known(pid) }

// waited records that one of our children has been waited for.
func (o *orphanTracker) waited(pid int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.children, pid)
}

func (o *orphanTracker) leave(t *tree) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.trees, t)
}

// leaveEmpty removes a tree if nothing of it is left, and reports whether it did.
// Both happen under one lock: else the last two trees could each leave an orphan
// to the other.
func (o *orphanTracker) leaveEmpty(t *tree) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !t.isEmpty() {
		return false
	}
	delete(o.trees, t)
	return true
}

func (o *orphanTracker) look(t *tree) []entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.members(t)
}

// ownsOrphan reports whether an orphan belongs to a tree. One that could belong to
// several trees is attributed to none until one tree is left.
func (o *orphanTracker) ownsOrphan(t *tree, e entry) bool {
	for other := range o.trees {
		if other.knows(e) {
			return other == t
		}
	}
	return len(o.trees) == 1 && !o.foreignChildren
}

// members lists the living processes of a tree that are to end with it, and
// remembers them.
func (o *orphanTracker) members(t *tree) []entry {
	all := processes()
	children := byParent(all)
	var queue []entry
	for _, e := range all {
		if o.isRoot(t, e) {
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
		if e.pid != t.root && mayStay(o.daemons, e) {
			continue
		}
		queue = append(queue, children[e.pid]...)
		// An ending guard leaves zombies to us.
		if e.zombie && !t.guards(e) && (e.ppid != os.Getpid() || o.own(e.pid) || reap(e.pid)) {
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

// isRoot reports whether a process belongs to a tree by itself, not as a descendant
// of another member.
func (o *orphanTracker) isRoot(t *tree, e entry) bool {
	switch {
	case e.pid == t.root && !t.reaped:
		return true
	case o.own(e.pid):
		return false // a guard, another tree's program, or a process of our own
	case t.guards(e):
		return true
	}
	if start, ok := t.seen[e.pid]; ok && start == e.start {
		return true
	}
	return e.ppid == orphanParent() && o.ownsOrphan(t, e)
}

// mayStay reports whether a process is one of the daemons.
func mayStay(daemons []Daemon, e entry) bool {
	if len(daemons) == 0 || e.pgid != e.pid {
		return false
	}
	return slices.ContainsFunc(daemons, func(d Daemon) bool { return d.runsAs(e.pid) })
}

// StillRunning lists the daemons that trees left running and that still run. They
// are our children, because their guards have ended.
func StillRunning() []Stayed {
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	if len(orphans.daemons) == 0 {
		return nil // without a look at each process of the system
	}
	var all []Stayed
	for _, e := range processes() {
		if e.ppid != os.Getpid() || e.zombie || orphans.own(e.pid) {
			continue
		}
		if i := slices.IndexFunc(orphans.daemons, func(d Daemon) bool { return mayStay([]Daemon{d}, e) }); i >= 0 {
			d := orphans.daemons[i]
			all = append(all, Stayed{e.pid, append([]string{d.Program}, d.Args...)})
		}
	}
	return all
}
