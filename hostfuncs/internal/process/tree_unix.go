//go:build unix

package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// tree is a program and what descends from it.
type tree struct {
	process     *os.Process // our own child: the program, or its guard
	root        int         // the program's pid
	shared      bool        // it is in our own process group, else root leads one
	interactive bool        // Ctrl-C is left to the program
	reaped      bool        // the program has been waited for
	ended       bool        // its group was empty once
	terminal    *Terminal   // the program's own, nil for none
	daemons     []Daemon
	supervisor  supervisor   // system-specific
	signalProbe *signalProbe // reports signals to our group, if root is in it
	// seen are the members that were listed, by pid, with their start.
	seen map[int]uint64
	// signalled are the members that got lastSignal, with their start.
	signalled  map[int]uint64
	lastSignal syscall.Signal
	// events makes Run call supervise.
	events chan os.Signal
}

// entry is one line of the system's list of processes.
type entry struct {
	pid, ppid, pgid, sid int
	// start distinguishes processes that had the same pid, in the system's unit.
	start  uint64
	zombie bool
	// stopped is known on Linux only.
	stopped bool
}

// launchTree starts a command's program.
func launchTree(c Command, files [3]*os.File, shared bool) (*tree, error) {
	t := &tree{shared: shared, interactive: c.Interactive, terminal: c.Terminal, daemons: c.Daemons, events: make(chan os.Signal, 1)}
	if shared {
		t.signalProbe = orphans.startSignalProbe()
	}
	signal.Notify(t.events, syscall.SIGCHLD)
	if err := orphans.start(t, func() error { return t.start(c, files) }); err != nil {
		signal.Stop(t.events)
		t.signalProbe.close()
		return nil, err
	}
	return t, nil
}

// close releases a tree that has ended.
func (t *tree) close() {
	signal.Stop(t.events)
	orphans.leave(t)
	t.release()
	t.signalProbe.close()
}

// gone records that the program has been waited for: its pid may be reused.
func (t *tree) gone() {
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	t.reaped = true
}

// knows reports whether a process is in a group or session of the tree. The number
// of a group or session is not reused while it has members, but a pid is, once the
// process has been waited for. The program's start is unknown at first.
func (t *tree) knows(e entry) bool {
	if t.terminal != nil && e.sid == t.process.Pid {
		return true
	}
	for _, leader := range []int{e.pid, e.pgid, e.sid} {
		start, ok := t.seen[leader]
		if ok && leader != 0 && (leader != e.pid || start == 0 || start == e.start) {
			return true
		}
	}
	return false
}

// groupLives reports whether the tree's process group has members. Once it was empty,
// it is not looked up again, because its number may be reused.
func (t *tree) groupLives() bool {
	if t.shared || t.ended {
		return false
	}
	t.ended = errors.Is(syscall.Kill(-t.root, 0), syscall.ESRCH)
	return !t.ended
}

// empty reports whether nothing is left, once the child has been waited for. It must
// not be called again after that.
func (t *tree) empty() bool { return orphans.leaveEmpty(t) }

// count is the number of visible members.
func (t *tree) count() int { return len(orphans.look(t)) }
