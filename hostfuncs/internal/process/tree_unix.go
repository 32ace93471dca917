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
	alone       bool        // Ctrl-C is the program's alone
	reaped      bool        // the program has been waited for
	ended       bool        // its group has been seen empty
	leaves      []Leaving
	supervisor  supervisor   // what a system needs besides
	signalProbe *signalProbe // tells which signals came to our group, if root is in it
	// seen are the members that were listed, by pid, with their start.
	seen map[int]uint64
	// told are the members that got the signal last sent, with their start.
	told   map[int]uint64
	lately syscall.Signal
	// events says that there may be something to tend.
	events chan os.Signal
}

// entry is one line of the system's list of processes.
type entry struct {
	pid, ppid, pgid, sid int
	// start tells processes apart that had the same pid, in the system's unit.
	start  uint64
	zombie bool
	// stopped is known on Linux alone.
	stopped bool
}

// launchTree starts a command's program.
func launchTree(c Command, files [3]*os.File, shared bool) (*tree, error) {
	t := &tree{shared: shared, alone: c.Interactive, leaves: c.Leaves, events: make(chan os.Signal, 1)}
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

// close lets go of a tree, once it has been brought to its end.
func (t *tree) close() {
	signal.Stop(t.events)
	orphans.leave(t)
	t.release()
	t.signalProbe.close()
}

// gone says that the program has been waited for: its pid may become another
// process's.
func (t *tree) gone() {
	orphans.mu.Lock()
	defer orphans.mu.Unlock()
	t.reaped = true
}

// knows reports whether a process has a group or session of the tree. The number
// of one is no other process's as long as it has members; that of a process that
// has been waited for may be. The program's start is unknown at first.
func (t *tree) knows(e entry) bool {
	for _, leader := range []int{e.pid, e.pgid, e.sid} {
		start, ok := t.seen[leader]
		if ok && leader != 0 && (leader != e.pid || start == 0 || start == e.start) {
			return true
		}
	}
	return false
}

// groupLives asks for the tree's process group. One that was empty once is not
// asked for again, because its number is free for others.
func (t *tree) groupLives() bool {
	if t.shared || t.ended {
		return false
	}
	t.ended = errors.Is(syscall.Kill(-t.root, 0), syscall.ESRCH)
	return !t.ended
}

// empty reports whether nothing is left, once the child has been waited for.
// A tree that is empty is not looked at again.
func (t *tree) empty() bool { return orphans.leaveEmpty(t) }

// count is how many members there are to be seen.
func (t *tree) count() int { return len(orphans.look(t)) }

// kill ends all members, those of an earlier kill too.
func (t *tree) kill() {
	t.lately = 0
	t.send(syscall.SIGKILL)
}

// signal sends a signal to the members, but for those that have got it before:
// told twice, many programs break off their own clean end. Stopped members are
// woken, because they could not act on it.
func (t *tree) signal(sig syscall.Signal) { t.send(sig, syscall.SIGCONT) }

func (t *tree) send(signals ...syscall.Signal) {
	// Listed first: what a signal ends leaves orphans, of which less is known.
	members := orphans.look(t)
	group := false
	if t.lately != signals[0] {
		t.lately, t.told = signals[0], map[int]uint64{}
		group = t.sendGroup(signals)
	}
	if len(members) == 0 && !t.reaped && !group {
		members = []entry{{pid: t.root}} // the system lists no processes
	}
	for _, e := range members {
		if start, ok := t.told[e.pid]; ok && start == e.start {
			continue
		}
		t.told[e.pid] = e.start
		if !group || !t.stillInGroup(e) {
			t.sendOne(e, signals)
		}
	}
}

// sendGroup signals the tree's group, if it has one, at once, so that none of
// it forks away meanwhile.
func (t *tree) sendGroup(signals []syscall.Signal) bool {
	if !t.groupLives() {
		return false
	}
	for _, sig := range signals {
		_ = syscall.Kill(-t.root, sig)
	}
	return true
}

func (t *tree) sendOne(e entry, signals []syscall.Signal) {
	for _, sig := range signals {
		if e.pid == t.root && !t.reaped {
			t.sendRoot(e, sig)
		} else {
			e.send(sig)
		}
	}
}

// stillInGroup reports whether a listed process has not left the tree's group
// since: it could have done so just before the group got its signal.
func (t *tree) stillInGroup(e entry) bool {
	if e.pgid != t.root {
		return false
	}
	now, ok := look(e.pid)
	return !ok || now.start != e.start || now.pgid == t.root
}

// send signals exactly the process that was listed.
func (e entry) send(sig syscall.Signal) {
	// Where the system has handles of processes, this is one, so that what is
	// looked at below is what gets the signal.
	process, err := os.FindProcess(e.pid)
	if err != nil {
		return
	}
	defer func() { _ = process.Release() }()
	if now, ok := look(e.pid); ok && now.start == e.start {
		_ = process.Signal(sig)
	}
}
