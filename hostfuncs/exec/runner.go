// Package exec has the operations that run programs: exec, process_start,
// process_wait, process_stop, ready and probe, and watch, whose events process_wait gives
// too. It gives programs their variables, their
// confinement and their limits.
package exec

import (
	"context"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/files"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/values"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/screen"
)

// Runner runs commands for one provider, and ends them with the run.
type Runner struct {
	opts             Options
	passed, withheld []string // variables that the provider asks for

	started startedPrograms
	hint    sync.Once // says how to see the keys
	told    bool      // that the backend is ready
}

// Options are what a runner works with.
type Options struct {
	Project *files.Project
	Env     *values.Environment
	// ChildEnv is what every command gets before the provider's own values. Asked are
	// the provider's requests that were granted.
	ChildEnv []string
	Asked    abi.Capabilities
	// Daemons are commands that the provider asks to leave running after the run, and
	// that every policy allows.
	Daemons [][]string
	// Confinement restricts all commands.
	Confinement *Confinement
	// Guards starts the guards of commands, on Linux. Nil executes our own program.
	Guards *Guards
	// Provider is the provider's ID. InputsDir is a directory of the user's that
	// records with which inputs commands succeeded; if empty, nothing is recorded.
	Provider, InputsDir string
	// Pins reports whether a policy allows a command by the digest of its program,
	// which is then part of its claim. Nil means that none does.
	Pins func(*capability.Exec) bool
	// Reads reports whether the policies let the provider read a file of the project, by
	// its path with links resolved. The changes of others are not reported to it. Nil
	// means none.
	Reads func(path string) bool
	// Stdout and Stderr are where a command's streamed output goes; a file is handed
	// to the command as it is. A command whose output is streamed shares this
	// process's standard input.
	Stdout, Stderr io.Writer
	// Keyboard is where the user types keys; nil if nobody can type. Tell shows a message
	// to the user.
	Keyboard *Keyboard
	Tell     func(level abi.Level, message string)
	// Ready shows that the backend is ready, and opens a URL unless that is empty. Opens
	// says that the user wants the first URL to be opened.
	Ready func(processes []abi.ReadyProcess, open string)
	Opens bool
	// Ends is called when the provider begins to end a program, once for each.
	Ends func()
	// Screen shows the output of programs that run at the same time. Nil is one with
	// Stdout and Stderr.
	Screen *screen.Screen
	// Mask has the values that must not be shown.
	Mask *redact.Set
	Warn func(error)
	// Serves says that the run is one of a server: a plan then supposes that started
	// programs run until the run is asked to end, and otherwise that they succeed.
	Serves bool
	// Grace is how long a command has to end after it was asked to.
	Grace time.Duration
}

// NewRunner returns a runner, which has to be closed.
func NewRunner(opts Options) *Runner {
	if opts.Screen == nil {
		opts.Screen = screen.New(screen.Options{Stdout: opts.Stdout, Stderr: opts.Stderr, Mask: opts.Mask.Text})
	}
	r := &Runner{opts: opts, started: startedPrograms{changed: make(chan struct{})}}
	r.passAsked()
	return r
}

// Close ends the programs and watches that the provider started and did not stop, and
// waits for their end.
func (r *Runner) Close() { r.started.close() }

// Operations are those of this package.
func (r *Runner) Operations() []hostfuncs.Operation {
	return []hostfuncs.Operation{r.execOp(), r.startOp(), r.waitOp(), r.stopOp(), r.readyOp(), r.probeOp(), r.watchOp()}
}

// Guards starts the guards of commands.
type Guards = process.Guards

// NewGuards returns guards that are started from the program of package
// hostfuncs/internal/guard, or if that is empty from our own. They have to be closed.
func NewGuards(program []byte) *Guards { return process.NewGuards(program) }

// Guard runs this process as the guard of a command, and does not return, if it was
// started as one.
func Guard() { process.Guard() }

// Interrupt returns the cause with which a context is cancelled to end the programs
// that run: they get the signal, and are killed at once when kill is closed.
func Interrupt(sig os.Signal, kill <-chan struct{}) error {
	return process.NewInterrupted(sig, kill)
}

// PassSignal sends a signal to each program that runs, unless the terminal has sent
// it already. It reports whether a program runs.
func PassSignal(sig os.Signal) bool {
	number, ok := sig.(syscall.Signal)
	return ok && process.Pass(number)
}

// Interactive reports whether a program runs that handles Ctrl-C itself.
func Interactive() bool { return process.Interactive() }

// Stayed lists the daemons that commands left running and that still run.
func Stayed() []process.Stayed { return process.StillRunning() }

type hardKey struct{}

// Lingering adds hard to the context of a call: it ends operations that continue after
// an interrupt, such as a wait for the interrupted program. hard ends later than ctx.
func Lingering(ctx, hard context.Context) context.Context {
	return context.WithValue(ctx, hardKey{}, hard)
}

// lingering returns the context that ends operations after an interrupt.
func lingering(ctx context.Context) context.Context {
	if hard, ok := ctx.Value(hardKey{}).(context.Context); ok {
		return hard
	}
	return ctx
}
