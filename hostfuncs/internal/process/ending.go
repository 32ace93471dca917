package process

import (
	"context"
	"errors"
	"syscall"
	"time"
)

const (
	// leeway is how long members have to end by themselves after the child has
	// ended by a signal, before SIGTERM follows.
	leeway = 500 * time.Millisecond
	// lateAfter is when Command.Late is called.
	lateAfter = time.Second
	// settleTime is how long killed processes may take to vanish.
	settleTime = 2 * time.Second
	// The first and the longest pause between two checks of the tree. No system
	// reports when a whole tree has ended.
	firstLook, lastLook = time.Millisecond, 50 * time.Millisecond
)

// ending ends a tree, step by step.
type ending struct {
	tree  *tree
	exit  <-chan exited // nil once the child has been waited for
	grace time.Duration
	stop  <-chan struct{} // closed: kill at once
	late  func(left time.Duration)

	child  exited
	termAt time.Time // when SIGTERM is due; zero if it is not, or not any more
	killAt time.Time // when the kill is due
	begun  time.Time // when the tree was asked to end
	lateAt time.Time // when late is due; zero if it is not, or not any more
	waited time.Duration
	giveUp time.Time // when to stop waiting for what was killed
	pause  time.Duration
	killed bool
	left   int
}

// finish ends what the child left when it ended by itself.
func (e *ending) finish(ctx context.Context) {
	e.exit = nil
	if e.tree.empty() {
		return
	}
	e.termAt = time.Now()
	e.begun, e.killAt = e.termAt, e.termAt.Add(e.grace)
	e.run(ctx)
}

// interrupt ends the tree with its child because of a context's cause.
func (e *ending) interrupt(cause error) {
	now := time.Now()
	e.begun, e.killAt = now, now.Add(e.grace)
	i, ok := errors.AsType[*Interrupted](cause)
	switch {
	case !ok:
		e.termAt = now
	case i.Signal == syscall.SIGTERM:
		e.termAt = now
	case e.tree.gotToo(i.Signal):
		// The terminal has signalled the tree already. A second signal makes many
		// programs abort their own clean end.
		e.termAt = now.Add(e.grace / 2)
	default:
		e.tree.signal(i.Signal)
	}
	if ok {
		e.stop = i.Kill
		if e.late != nil {
			e.lateAt = now.Add(lateAfter)
		}
	}
	e.run(context.Background())
}

// run takes steps until the tree has ended. If ctx ends meanwhile, its cause can only
// add the way to kill at once.
func (e *ending) run(ctx context.Context) {
	done := ctx.Done()
	for e.step(time.Now()) {
		timer := time.NewTimer(e.wait(time.Now()))
		select {
		case e.child = <-e.exit:
			e.childGone(time.Now())
		case <-e.stop:
			e.stop, e.killAt = nil, time.Now()
		case <-done:
			done = nil
			if i, ok := errors.AsType[*Interrupted](context.Cause(ctx)); ok {
				e.stop = i.Kill
			}
		case <-e.tree.events:
			e.tree.supervise()
		case <-timer.C:
		}
		timer.Stop()
	}
}

// step does what is due and reports whether to go on.
func (e *ending) step(now time.Time) bool {
	if e.exit == nil && e.tree.empty() {
		return false
	}
	if !e.lateAt.IsZero() && !now.Before(e.lateAt) && now.Before(e.killAt) {
		e.lateAt = time.Time{}
		go e.late(e.killAt.Sub(now)) // it may block
	}
	switch {
	case e.killed:
		// Repeated, because members may have forked meanwhile.
		e.tree.kill()
	case !now.Before(e.killAt):
		e.killed, e.waited, e.giveUp = true, now.Sub(e.begun), now.Add(settleTime)
		e.tree.kill()
	case !e.termAt.IsZero() && !now.Before(e.termAt):
		e.tree.signal(syscall.SIGTERM)
		if e.exit != nil {
			// What the child starts from now on may be part of its clean end.
			e.termAt = time.Time{}
		}
	}
	if e.exit == nil && e.killed && now.After(e.giveUp) {
		e.left = e.tree.count()
		return false
	}
	return true
}

// childGone makes SIGTERM due soon for what is left, and from then on for all that
// appears.
func (e *ending) childGone(now time.Time) {
	e.exit = nil
	e.tree.gone()
	if soon := now.Add(min(leeway, e.grace/2)); e.termAt.IsZero() || soon.Before(e.termAt) {
		e.termAt = soon
	}
}

// wait returns the time until something is due.
func (e *ending) wait(now time.Time) time.Duration {
	due := e.killAt.Sub(now)
	if e.killed {
		due = lastLook
	} else if e.termAt.After(now) {
		due = min(due, e.termAt.Sub(now))
	}
	if e.lateAt.After(now) {
		due = min(due, e.lateAt.Sub(now))
	}
	if e.exit == nil {
		e.pause = min(max(2*e.pause, firstLook), lastLook)
		due = min(due, e.pause)
	}
	return due
}
