package process

import (
	"context"
	"errors"
	"syscall"
	"time"
)

const (
	// leeway is what members have that the child left behind after a signal,
	// to end of it by themselves before SIGTERM follows.
	leeway = 500 * time.Millisecond
	// lateAfter is when it is told that something still runs.
	lateAfter = time.Second
	// settleTime is how long killed processes may take to vanish.
	settleTime = 2 * time.Second
	// The first and the longest pause between two looks at the tree. No system
	// tells when a whole tree has gone.
	firstLook, lastLook = time.Millisecond, 50 * time.Millisecond
)

// ending brings a tree to its end, step by step.
type ending struct {
	tree  *tree
	exit  <-chan exited // nil once the child has been waited for
	grace time.Duration
	stop  <-chan struct{} // closed: kill at once
	late  func(left time.Duration)

	child  exited
	warn   time.Time // when SIGTERM is due; zero when it isn't, or no more
	last   time.Time // when the kill is due
	begun  time.Time // when the tree was told to end
	tell   time.Time // when late is due; zero when it isn't, or no more
	waited time.Duration
	giveUp time.Time // when to stop waiting for what was killed
	pause  time.Duration
	killed bool
	left   int
}

// finish ends what the child left behind when it ended by itself.
func (e *ending) finish(ctx context.Context) {
	e.exit = nil
	if e.tree.empty() {
		return
	}
	e.warn = time.Now()
	e.begun, e.last = e.warn, e.warn.Add(e.grace)
	e.run(ctx)
}

// interrupt ends the tree with its child because of a context's cause.
func (e *ending) interrupt(cause error) {
	now := time.Now()
	e.begun, e.last = now, now.Add(e.grace)
	i, ok := errors.AsType[*Interrupted](cause)
	switch {
	case !ok:
		e.warn = now
	case i.Signal == syscall.SIGTERM:
		e.warn = now
	case e.tree.gotToo(i.Signal):
		// The terminal has told the tree already; told twice, many programs
		// break off their own clean end.
		e.warn = now.Add(e.grace / 2)
	default:
		e.tree.signal(i.Signal)
	}
	if ok {
		e.stop = i.Kill
		if e.late != nil {
			e.tell = now.Add(lateAfter)
		}
	}
	e.run(context.Background())
}

// run goes through the steps until the tree is gone. A ctx that is done adds
// nothing to what is under way but the way to kill at once.
func (e *ending) run(ctx context.Context) {
	done := ctx.Done()
	for e.step(time.Now()) {
		timer := time.NewTimer(e.wait(time.Now()))
		select {
		case e.child = <-e.exit:
			e.childGone(time.Now())
		case <-e.stop:
			e.stop, e.last = nil, time.Now()
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

// step does what is due and reports whether there is more to wait for.
func (e *ending) step(now time.Time) bool {
	if e.exit == nil && e.tree.empty() {
		return false
	}
	if !e.tell.IsZero() && !now.Before(e.tell) && now.Before(e.last) {
		e.tell = time.Time{}
		go e.late(e.last.Sub(now)) // whoever is told may take its time
	}
	switch {
	case e.killed:
		// Again and again, because what was forked meanwhile is new.
		e.tree.kill()
	case !now.Before(e.last):
		e.killed, e.waited, e.giveUp = true, now.Sub(e.begun), now.Add(settleTime)
		e.tree.kill()
	case !e.warn.IsZero() && !now.Before(e.warn):
		e.tree.signal(syscall.SIGTERM)
		if e.exit != nil {
			// What the child starts from now on, it may need to end well.
			e.warn = time.Time{}
		}
	}
	if e.exit == nil && e.killed && now.After(e.giveUp) {
		e.left = e.tree.count()
		return false
	}
	return true
}

// childGone lets what is left know soon that it is over, and from then on
// whatever appears among it.
func (e *ending) childGone(now time.Time) {
	e.exit = nil
	e.tree.gone()
	if soon := now.Add(min(leeway, e.grace/2)); e.warn.IsZero() || soon.Before(e.warn) {
		e.warn = soon
	}
}

// wait is the time until something is due.
func (e *ending) wait(now time.Time) time.Duration {
	due := e.last.Sub(now)
	if e.killed {
		due = lastLook
	} else if e.warn.After(now) {
		due = min(due, e.warn.Sub(now))
	}
	if e.tell.After(now) {
		due = min(due, e.tell.Sub(now))
	}
	if e.exit == nil {
		e.pause = min(max(2*e.pause, firstLook), lastLook)
		due = min(due, e.pause)
	}
	return due
}
