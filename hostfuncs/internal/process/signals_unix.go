//go:build unix

package process

import (
	"fmt"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Pass sends a signal that we got to each running program, but not to what it started,
// unless our whole group got it. It reports whether a program runs.
func Pass(sig syscall.Signal) bool {
	trees := orphans.running()
	for _, t := range trees {
		switch {
		case t.terminal != nil && sig == syscall.SIGWINCH:
			t.terminal.Resize() // the system tells the program
		case !t.gotToo(sig):
			t.sendProgram(sig)
		}
	}
	return len(trees) > 0
}

// Interactive reports whether a program runs that handles Ctrl-C itself: a SIGINT is
// then for [Pass].
func Interactive() bool {
	return slices.ContainsFunc(orphans.running(), func(t *tree) bool { return t.interactive })
}

// running lists the trees whose program has not ended.
func (o *orphanTracker) running() []*tree {
	o.mu.Lock()
	defer o.mu.Unlock()
	var running []*tree
	for t := range o.trees {
		if !t.reaped {
			running = append(running, t)
		}
	}
	return running
}

// gotToo reports whether the program got a signal together with us, as a member of
// our process group: from the terminal, or by a kill of the group. It reports each
// signal once.
func (t *tree) gotToo(sig syscall.Signal) bool {
	if !t.shared {
		return false
	}
	if got, ok := t.signalProbe.got(sig); ok {
		return got
	}
	// Without a signal probe, assume that the terminal sent the signals that it can send.
	switch sig {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGCONT:
		return true
	}
	return false
}

// kill kills all members, also those that were killed before.
func (t *tree) kill() {
	t.lastSignal = 0
	t.send(syscall.SIGKILL)
}

// signal sends a signal to the members that did not get it before: a second one makes
// many programs abort their own clean end. Stopped members are continued, so that
// they can handle it.
func (t *tree) signal(sig syscall.Signal) { t.send(sig, syscall.SIGCONT) }

func (t *tree) send(signals ...syscall.Signal) {
	// Listed first, because members that end leave orphans, which are harder to attribute.
	members := orphans.look(t)
	group := false
	if t.lastSignal != signals[0] {
		t.lastSignal, t.signalled = signals[0], map[int]uint64{}
		group = t.sendGroup(signals)
	}
	if len(members) == 0 && !t.reaped && !group {
		members = []entry{{pid: t.root}} // the system lists no processes
	}
	for _, e := range members {
		if start, ok := t.signalled[e.pid]; ok && start == e.start {
			continue
		}
		t.signalled[e.pid] = e.start
		if !group || !t.stillInGroup(e) {
			t.sendOne(e, signals)
		}
	}
}

// sendGroup signals the tree's group, if it has one, as a whole, so that no member can
// escape by forking.
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

// stillInGroup reports whether a listed process is still in the tree's group. It could
// have left just before the group got its signal.
func (t *tree) stillInGroup(e entry) bool {
	if e.pgid != t.root {
		return false
	}
	now, ok := look(e.pid)
	return !ok || now.start != e.start || now.pgid == t.root
}

// send signals exactly the process that was listed.
func (e entry) send(sig syscall.Signal) {
	// On systems with process handles this is one, so the process that is checked
	// below gets the signal.
	process, err := os.FindProcess(e.pid)
	if err != nil {
		return
	}
	defer func() { _ = process.Release() }()
	if now, ok := look(e.pid); ok && now.start == e.start {
		_ = process.Signal(sig)
	}
}

// exitStatus returns an exit code as a shell reports it, and the name of the signal
// that ended the process.
func exitStatus(status syscall.WaitStatus) (code int, name string) {
	if !status.Signaled() {
		return status.ExitStatus(), ""
	}
	number := status.Signal()
	return 128 + int(number), SignalName(number)
}

// SignalName is a signal's name, such as SIGINT.
func SignalName(number syscall.Signal) string {
	if name := unix.SignalName(number); name != "" {
		return name
	}
	return fmt.Sprintf("SIG%d", int(number))
}
