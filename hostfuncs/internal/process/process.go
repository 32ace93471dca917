// Package process is a running command: one program, its streams, and the
// whole tree of processes that grows from it, ended together.
//
// A tree is ended in steps: a first signal, a grace period, and the kill. What
// counts as the tree, and what can't be seen of it, differs between systems:
//
//   - Linux: every descendant, wherever it moved. A guard, our own program once
//     more, is between us and the command: a child subreaper, so that what
//     daemonises comes to it and is found. Should this process be killed, the
//     guard kills them all; should the guard be, they come to this process.
//   - macOS: the process group, the descendants, and what was a descendant
//     when the tree was first looked at. A daemon that left the group before
//     is not found.
//   - other Unix systems: the process group, or the direct child alone when it
//     shares the terminal.
//   - Windows: a job object, which ends even when this process is killed.
//     There is no gentle signal for a child that shares the console.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// Command is a program to run, exactly as it will run.
type Command struct {
	// Program is the file to run: absolute, already looked up and decided on.
	Program string
	// Executable is that file as it was decided on, nil for whatever the path leads
	// to. A file that was changed since is not run. On Linux a native program is
	// run by its descriptor, and has a number for its short name. A script is run
	// by its path, if that still leads to the file: the interpreter opens it. Both
	// are where only root can change the path, and we aren't root.
	Executable *Executable
	// Pinned has a script run by its descriptor too. The interpreter then opens the
	// file that was decided on, and the script finds the descriptor in $0.
	Pinned bool
	// Argv are the program's arguments, Argv[0] included, passed as written.
	Argv []string
	// Dir is the directory to run in, absolute.
	Dir string
	// Directory is Dir as it was decided on, nil for whatever the path leads to.
	Directory *Directory
	// Env is the whole environment as "NAME=value"; nothing is added.
	Env []string
	// Stdin is what the program reads. A file is handed over as it is; from
	// another reader Run copies, and waits for a Read that is under way. With
	// nil it is our own standard input under Inherit, and empty otherwise.
	Stdin io.Reader
	// Stdout and Stderr take the program's output. A file is handed over as it
	// is, so nothing is copied and a terminal stays one; nil throws away. One
	// writer given as both gets one Write at a time.
	Stdout, Stderr io.Writer
	// Inherit shares our standard input. If that is a terminal, the child also
	// stays in our process group, so that key presses, the window's size,
	// Ctrl-Z and Ctrl-C reach it as if the shell had started it.
	Inherit bool
	// Interactive leaves Ctrl-C to the program, as [Interactive] tells whoever gets the
	// signals. It needs a terminal that is shared, see Inherit.
	Interactive bool
	// Confine is what the program and all that it starts are held to, nil for
	// nothing. Where that can't be done, it is not started.
	Confine *confine.Rules
	// Watcher, if there is one, is told what the program and all that it starts
	// use. What is confined can't be watched.
	Watcher Watcher
	// Limits bound it; only Linux knows them.
	Limits Limits
	// Leaves are programs of the tree that stay when it ends.
	Leaves []Leaving
	// Grace is the time between the first signal and the kill.
	Grace time.Duration
	// Started, if there is one, is called once the program runs.
	Started func()
	// Late, if there is one, is called once by another goroutine when something of the
	// tree still runs a second after an [Interrupted] told it to end, with the time
	// that is left until the kill.
	Late func(left time.Duration)
}

// Watcher is told what a command's tree uses, before the program's own end is.
// Its methods are called one after another, and have to return soon: the tree waits
// for them. After Run has returned, none is called.
type Watcher interface {
	// Used is told of each use once.
	Used(confine.Use)
	// More is told that there are more uses than are told.
	More()
	// Missed is told why none of the uses is told.
	Missed(reason string)
}

// Limits bound a command; 0 is no bound.
type Limits struct {
	// OpenFiles is how many files one process may have open, RLIMIT_NOFILE.
	OpenFiles uint64
	// Processes is how many processes and threads of its user there may be
	// besides those that there are when it starts, RLIMIT_NPROC. The system
	// does not hold root to it.
	Processes uint64
}

// Result is how a command ended.
type Result struct {
	// ExitCode is the program's own, or 128+n when signal n ended it.
	ExitCode int
	// Signal is the name of the signal that ended the program, like "SIGINT".
	Signal string
	// Duration is the time until the program itself had ended.
	Duration time.Duration
	// Interrupted says that the tree was told to end by an [Interrupted].
	Interrupted bool
	// TimedOut says that it was told to because of the context's deadline.
	TimedOut bool
	// Killed says that something of the tree had to be killed, and Waited how long
	// after the tree was told to end.
	Killed bool
	Waited time.Duration
	// Left counts processes of the tree that outlived the kill, as one of
	// another user can. It is 0 but for such cases.
	Left int
}

// Run starts a command and waits until its whole tree has ended. What is left
// of the tree when the program ends is ended too.
//
// When ctx is done, the tree is ended: its cause says how, see [Interrupted];
// any other cause means SIGTERM, the grace period, SIGKILL.
//
// # Errors
//
// A program that can't be started is a [*StartError]. What a program does once
// it runs is never an error but part of the Result. A Stdin or Stdout that
// fails is an error beside a whole Result.
func Run(ctx context.Context, c Command) (Result, error) {
	if err := c.check(); err != nil {
		return Result{}, err
	}
	if ctx.Err() != nil {
		return Result{}, &StartError{Program: c.Program, Err: context.Cause(ctx)}
	}
	if c.Watcher != nil && runtime.GOOS != "linux" {
		c.Watcher.Missed("what commands use can't be watched on " + runtime.GOOS)
	}
	// The thread that stops when the program has stopped has to be ours.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	s, err := openStreams(c)
	if err != nil {
		return Result{}, &StartError{Program: c.Program, Err: err}
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
	if c.Started != nil {
		c.Started()
	}
	res, err := supervise(ctx, c, t)
	err = errors.Join(err, s.settle())
	terminal.restore()
	return res, err
}

func (c Command) check() error {
	switch {
	case !filepath.IsAbs(c.Program):
		return &StartError{Program: c.Program, Err: errors.New("the program's path is not absolute")}
	case !filepath.IsAbs(c.Dir):
		return &StartError{Program: c.Program, Err: fmt.Errorf("the directory %q to run in is not absolute", c.Dir)}
	case len(c.Argv) == 0:
		return &StartError{Program: c.Program, Err: errors.New("argv is empty")}
	}
	for _, word := range slices.Concat([]string{c.Program, c.Dir}, c.Argv) {
		if strings.ContainsRune(word, 0) {
			return &StartError{Program: c.Program, Err: fmt.Errorf("%q has a NUL byte", word)}
		}
	}
	for _, entry := range c.Env {
		if strings.ContainsRune(entry, 0) {
			// Its value may be a secret.
			name, _, _ := strings.Cut(entry, "=")
			return &StartError{Program: c.Program, Err: fmt.Errorf("the variable %q has a NUL byte", name)}
		}
	}
	if c.Interactive && !c.sharesTerminal() {
		return &StartError{Program: c.Program, Err: errNoTerminal}
	}
	if c.Confine != nil && c.Watcher != nil {
		return &StartError{Program: c.Program, Err: errors.New("what is confined can't be watched")}
	}
	if c.Confine != nil && !c.Confine.BestEffort && runtime.GOOS != "linux" {
		return &StartError{Program: c.Program, Err: errNotConfined}
	}
	if batchFiles {
		return checkBatch(c.Program, c.Argv)
	}
	return nil
}

func (c Command) sharesTerminal() bool {
	return c.Inherit && c.Stdin == nil && OnTerminal()
}

// OnTerminal reports whether there is a terminal that a command can share.
func OnTerminal() bool { return stdinIsTerminal() }

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

// result is how it went, with the cause that ended it, if any.
func (e *ending) result(c Command, cause error) (Result, error) {
	_, interrupted := errors.AsType[*Interrupted](cause)
	res := Result{
		Duration: e.child.after, Killed: e.killed, Waited: e.waited, Left: e.left,
		Interrupted: interrupted, TimedOut: errors.Is(cause, context.DeadlineExceeded),
	}
	if e.child.err != nil {
		return res, fmt.Errorf("wait for %s: %w", c.Program, e.child.err)
	}
	res.ExitCode, res.Signal = e.child.code, e.child.signal
	return res, nil
}

// exited is what became of the program.
type exited struct {
	code   int
	signal string // its name, empty when the program ended by itself
	err    error
	after  time.Duration
}
