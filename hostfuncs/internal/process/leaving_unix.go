//go:build unix

package process

import "slices"

// leaves reports whether a process is one of those that may stay.
func leaves(list []Leaving, e entry) bool {
	if len(list) == 0 || e.pgid != e.pid {
		return false
	}
	return slices.ContainsFunc(list, func(l Leaving) bool { return l.is(e.pid) })
}
