//go:build unix

package process

import (
	"os"
	"slices"
)

// leaves reports whether a process is one of those that may stay.
func leaves(list []Leaving, e entry) bool {
	if len(list) == 0 || e.pgid != e.pid {
		return false
	}
	return slices.ContainsFunc(list, func(l Leaving) bool { return l.is(e.pid) })
}

// StillRunning lists the processes that trees left running by permission, and that
// still run. They are our children, since their guards have ended.
func StillRunning() []Stayed {
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	var all []Stayed
	for _, e := range processes() {
		if e.ppid != os.Getpid() || e.zombie || orphans.children[e.pid] {
			continue
		}
		if i := slices.IndexFunc(orphans.leaves, func(l Leaving) bool { return leaves([]Leaving{l}, e) }); i >= 0 {
			l := orphans.leaves[i]
			all = append(all, Stayed{e.pid, append([]string{l.Program}, l.Args...)})
		}
	}
	return all
}
