//go:build unix

package process

import (
	"slices"
	"syscall"
)

// Pass sends a signal to each program that runs, as a kill of its process ID would:
// what a program started does not get it. It reports whether a program runs.
func Pass(sig syscall.Signal) bool {
	trees := orphans.running()
	for _, t := range trees {
		t.pass(sig)
	}
	return len(trees) > 0
}

// Interactive reports whether a program runs that Ctrl-C is left to: a SIGINT is then
// for [Pass].
func Interactive() bool {
	return slices.ContainsFunc(orphans.running(), func(t *tree) bool { return t.alone })
}

// running lists the trees whose program has not ended.
func (f *orphanTracker) running() []*tree {
	f.mu.Lock()
	defer f.mu.Unlock()
	var running []*tree
	for t := range f.trees {
		if !t.reaped {
			running = append(running, t)
		}
	}
	return running
}

// pass sends the program a signal that we got, unless it came to all of our group.
func (t *tree) pass(sig syscall.Signal) {
	if !t.gotToo(sig) {
		t.sendProgram(sig)
	}
}

// gotToo reports whether the program got a signal together with us, as a member of
// our process group: from the terminal, or by a kill of the group. It tells of each
// signal once.
func (t *tree) gotToo(sig syscall.Signal) bool {
	if !t.shared {
		return false
	}
	if got, ok := t.signalProbe.got(sig); ok {
		return got
	}
	// Without a signal probe: those signals that a terminal sends came from it.
	switch sig {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGCONT:
		return true
	}
	return false
}
