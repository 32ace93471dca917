package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/confine"
)

// Command is a program to run, exactly as it will run.
type Command struct {
	// Program is the file to run: absolute, already looked up and decided on.
	Program string
	// Executable is that file, opened before the decision, or nil to use whatever
	// file is at the path. A file that changed since is not run. On Linux a native
	// program is run by its descriptor, so its short name is a number. A script is
	// run by its path if the file is still there, because the interpreter opens it.
	// Both are run by path if only root can change the path and we are not root.
	Executable *Executable
	// Pinned runs a script by its descriptor too. The interpreter then opens the
	// file that was decided on, and the script finds the descriptor in $0.
	Pinned bool
	// Argv are the program's arguments, Argv[0] included, passed as written.
	Argv []string
	// Dir is the directory to run in, absolute.
	Dir string
	// Directory is Dir, opened before the decision, or nil to use the path.
	Directory *Directory
	// Env is the whole environment as "NAME=value"; nothing is added.
	Env []string
	// Stdin is what the program reads. A file is passed on as it is; from
	// another reader Run copies, and waits for a Read in progress. Nil is our own
	// standard input with Inherit, and an empty one otherwise.
	Stdin io.Reader
	// Stdout and Stderr receive the program's output. A file is passed on as it
	// is, so nothing is copied and a terminal stays one; nil discards. One writer
	// given as both gets one Write at a time.
	Stdout, Stderr io.Writer
	// Inherit shares our standard input. If that is a terminal, the child also
	// stays in our process group, so that key presses, the window's size,
	// Ctrl-Z and Ctrl-C reach it as if the shell had started it.
	Inherit bool
	// Terminal, if set, is a terminal of the program's own, where the system has one:
	// its controlling terminal and all its streams, except a Stdin or one that Inherit
	// shares. All output then goes to Stdout. Otherwise the program gets pipes.
	Terminal *Terminal
	// Interactive leaves Ctrl-C to the program: see the function [Interactive].
	// It needs a terminal that is shared, see Inherit.
	Interactive bool
	// Confine restricts the program and its descendants, nil for no restriction.
	// The program is not started if that is impossible.
	Confine *confine.Rules
	// Watcher, if set, receives what the program and its descendants use. A
	// confined command cannot be watched.
	Watcher Watcher
	// Guards starts the command's guard on Linux; nil executes our own program.
	Guards *Guards
	// Limits are applied on Linux only.
	Limits Limits
	// Daemons are programs of the tree that may stay when it ends.
	Daemons []Daemon
	// Grace is the time between the first signal and the kill.
	Grace time.Duration
	// Started, if set, is called once the program runs.
	Started func()
	// Late, if set, is called once, by another goroutine, if something of the
	// tree still runs a second after an [Interrupted] asked it to end. left is the
	// time until the kill.
	Late func(left time.Duration)
}

// Watcher receives what a command's tree uses, before the end of the program is
// reported. Calls come one after another and must return soon: the tree waits for
// them. None is made after Run has returned.
type Watcher interface {
	// Used is called once for each use.
	Used(confine.Use)
	// More is called if there are more uses than are reported.
	More()
	// Missed is called with the reason if no uses can be reported.
	Missed(reason string)
}

// Limits limit a command; 0 means unlimited.
type Limits struct {
	// OpenFiles is how many files one process may have open, RLIMIT_NOFILE.
	OpenFiles uint64
	// Processes is how many processes and threads its user may have in addition
	// to those that exist when it starts, RLIMIT_NPROC. It does not limit root.
	Processes uint64
}

// Daemon is a program that may stay when its tree has ended, because other runs of
// a command share it. It is recognised by its file and its arguments, and must lead
// a process group; its descendants stay with it. Only Linux can recognise it;
// elsewhere nothing of a tree stays by permission.
type Daemon struct {
	// Program is the file that must run, absolute.
	Program string
	// Args are all arguments without Argv[0].
	Args []string
}

// Stayed is a process that a tree left running, as one of its [Daemon]s.
type Stayed struct {
	PID  int
	Argv []string
}

func (c Command) check() error {
	if err := c.problem(); err != nil {
		return &StartError{Program: c.Program, Err: err}
	}
	return nil
}

func (c Command) problem() error {
	switch {
	case !filepath.IsAbs(c.Program):
		return errors.New("the program's path is not absolute")
	case !filepath.IsAbs(c.Dir):
		return fmt.Errorf("the working directory %q is not absolute", c.Dir)
	case len(c.Argv) == 0:
		return errors.New("argv is empty")
	}
	for _, word := range slices.Concat([]string{c.Program, c.Dir}, c.Argv) {
		if strings.ContainsRune(word, 0) {
			return fmt.Errorf("%q has a NUL byte", word)
		}
	}
	for _, entry := range c.Env {
		if strings.ContainsRune(entry, 0) {
			// Its value may be a secret.
			name, _, _ := strings.Cut(entry, "=")
			return fmt.Errorf("the variable %q has a NUL byte", name)
		}
	}
	switch {
	case c.Interactive && !c.sharesTerminal():
		return errors.New("an interactive program needs a terminal as its standard input")
	case c.Confine != nil && c.Watcher != nil:
		return errors.New("a confined command cannot be watched")
	case c.Confine != nil && !c.Confine.BestEffort && runtime.GOOS != "linux":
		return errNotConfined
	case batchFiles:
		return checkBatch(c.Program, c.Argv)
	}
	return nil
}

// batchSpecial are the characters that cmd.exe, which runs Windows' batch files,
// interprets in arguments even where they are quoted.
const batchSpecial = "\"%!&|<>^\r\n"

// checkBatch refuses arguments that a batch file would interpret as commands.
func checkBatch(program string, argv []string) error {
	ending := strings.ToLower(filepath.Ext(program))
	if ending != ".bat" && ending != ".cmd" {
		return nil
	}
	for _, word := range argv[1:] {
		if strings.ContainsAny(word, batchSpecial) {
			return fmt.Errorf("cannot pass %q to a batch file: cmd.exe interprets one of its characters", word)
		}
	}
	return nil
}

func (c Command) sharesTerminal() bool {
	return c.Inherit && c.Stdin == nil && c.Terminal == nil && OnTerminal()
}

// OnTerminal reports whether there is a terminal that a command can share.
func OnTerminal() bool { return term.IsTerminal(int(os.Stdin.Fd())) }
