// Package process runs commands: a program, its streams, and the tree of
// processes that it starts, which ends with it.
//
// A tree is ended in steps: a first signal, a grace period, and the kill. Systems
// differ in what belongs to a tree, and in what of it can be found:
//
//   - Linux: every descendant, wherever it moved. A guard, our own program once
//     more, is between us and the command. It is a child subreaper, so daemons
//     are reparented to it and found. If this process is killed, the guard kills
//     them all; if the guard is killed, they are reparented to this process.
//   - macOS: the process group, the descendants, and those that were descendants
//     when the tree was first listed. A daemon that left the group before
//     is not found.
//   - other Unix systems: the process group, or only the direct child if it
//     shares the terminal.
//   - Windows: a job object, which ends even when this process is killed.
//     A child that shares the console cannot be asked to end.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// Interrupted is the cause, for [context.WithCancelCause], that ends a tree by
// passing a signal on.
type Interrupted struct {
	// Signal is sent first. A SIGINT or SIGHUP that our whole process group got,
	// the tree with it, is not repeated; SIGTERM follows after half of the grace.
	Signal syscall.Signal
	// Kill, once closed, kills the tree without waiting. It may be nil.
	Kill <-chan struct{}
	// Stopped says that a provider stops one program; the run goes on.
	Stopped bool
}

// NewInterrupted returns the cause for a signal that this process got. A signal of
// an unknown type is passed on as SIGINT.
func NewInterrupted(sig os.Signal, kill <-chan struct{}) *Interrupted {
	number, ok := sig.(syscall.Signal)
	if !ok {
		number = syscall.SIGINT
	}
	return &Interrupted{Signal: number, Kill: kill}
}

func (*Interrupted) Error() string { return "interrupted" }

// Interrupts marks the cause as one that the gate reports as an interruption.
func (*Interrupted) Interrupts() {}

// Result is how a command ended.
type Result struct {
	// ExitCode is the program's own, or 128+n if signal n ended it.
	ExitCode int
	// Signal is the name of the signal that ended the program, like "SIGINT".
	Signal string
	// Interrupted says that an [Interrupted] ended the tree.
	Interrupted bool
	// TimedOut says that the context's deadline ended it.
	TimedOut bool
	// Killed says that something of the tree was killed, and Waited how long
	// after the tree was asked to end.
	Killed bool
	Waited time.Duration
	// Left counts processes of the tree that could not be killed, such as those of
	// another user.
	Left int
}

// Run starts a command and waits until its whole tree has ended. What is left
// of the tree when the program ends is ended too.
//
// When ctx is done, the tree is ended. The cause says how, see [Interrupted];
// any other cause means SIGTERM, the grace period, SIGKILL.
//
// # Errors
//
// A [*StartError] if the program cannot be started. What a program does once it
// runs is never an error but part of the Result. A Stdin or Stdout that fails is
// an error beside a complete Result.
func Run(ctx context.Context, c Command) (Result, error) {
	if err := c.check(); err != nil {
		return Result{}, err
	}
	if ctx.Err() != nil {
		return Result{}, &StartError{Program: c.Program, Err: context.Cause(ctx)}
	}
	if c.Watcher != nil && runtime.GOOS != "linux" {
		c.Watcher.Missed("commands cannot be watched on " + runtime.GOOS)
	}
	s, err := openStreams(c)
	if err != nil {
		return Result{}, &StartError{Program: c.Program, Err: err}
	}
	if s.far != nil {
		c = c.withTerminal(s.far.Name())
	} else {
		c.Terminal = nil
	}
	shared := c.sharesTerminal()
	terminal := saveTerminal(shared)
	t, err := launchTree(c, s.files, shared)
	if err != nil {
		s.abandon()
		return Result{}, explain(c, err)
	}
	defer t.close()
	s.flow()
	if c.Terminal != nil {
		c.Terminal.attach(s.outputs[0])
		defer c.Terminal.attach(nil)
		c.Terminal.Resize() // ours may have changed meanwhile
	}
	if c.Started != nil {
		c.Started()
	}
	res, err := supervise(ctx, c, t)
	err = errors.Join(err, s.settle())
	terminal.restore()
	return res, err
}

// supervise waits for the child, and ends its tree when it or ctx is done.
func supervise(ctx context.Context, c Command, t *tree) (Result, error) {
	exit := t.exited()
	e := ending{tree: t, exit: exit, grace: c.Grace, late: c.Late}
	for {
		select {
		case e.child = <-exit:
			t.gone()
			e.finish(ctx)
			return e.result(c, nil)
		case <-ctx.Done():
			e.interrupt(context.Cause(ctx))
			return e.result(c, context.Cause(ctx))
		case <-t.events:
			t.supervise()
		}
	}
}

// result returns how the command ended; cause ended it, if not nil.
func (e *ending) result(c Command, cause error) (Result, error) {
	_, interrupted := errors.AsType[*Interrupted](cause)
	res := Result{
		Killed: e.killed, Waited: e.waited, Left: e.left,
		Interrupted: interrupted, TimedOut: errors.Is(cause, context.DeadlineExceeded),
	}
	if e.child.err != nil {
		return res, fmt.Errorf("wait for %s: %w", c.Program, e.child.err)
	}
	res.ExitCode, res.Signal = e.child.code, e.child.signal
	return res, nil
}

// exited is how the program ended.
type exited struct {
	code   int
	signal string // its name, empty if the program ended by itself
	err    error
}
