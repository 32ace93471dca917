// Package worker runs one module for the package sandbox, in a process of its
// own. It is the only importer of Extism and wazero.
//
// A process that executes [Main] under the name of the helper bounds itself,
// then loads the module that it is sent and answers calls until its connection
// ends. It trusts its host, and its host does not trust it.
package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/bounds"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Main runs this process as the helper, and does not return, if it was started as
// one.
func Main() {
	if len(os.Args) > 0 && os.Args[0] == frame.ProgramName {
		os.Exit(run(os.Args[1:]))
	}
}

// run takes the directory for compiled code, which may be empty, how many bytes the
// process may have besides those that it begins with, and whether it has the lowest
// priority. Its connection is its standard input and output.
func run(args []string) int {
	conn := frame.NewConn(os.Stdin, os.Stdout)
	// Extism prints to the standard output, where frames go.
	os.Stdout = os.Stderr
	w := &worker{conn: conn, output: &output{conn: conn}}
	err := w.bound(args)
	if err == nil {
		err = w.serve()
	}
	if err == nil || errors.Is(err, io.EOF) {
		return 0
	}
	w.output.flush()
	_ = conn.Send(frame.Exit, w.exit(err).Parts()...)
	return 1
}

// bound gives up all that the process does not need, before it reads anything.
func (w *worker) bound(args []string) error {
	if len(args) != 3 {
		return errors.New("the helper is started by stagecraft, with a directory, a number of bytes, and its priority")
	}
	space, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	yields, err := strconv.ParseBool(args[2])
	if err != nil {
		return err
	}
	// A collection would take longer than most runs. The limit on Go's memory starts
	// one before the kernel's limit ends the process.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(int64(space / 4))
	w.dir = args[0]
	w.enforced, err = bounds.Enter(bounds.Bounds{Space: space, Dir: w.dir, Yields: yields})
	if !w.enforced.Files && bounds.Needed {
		w.dir, w.noCache = "", errors.New("this system cannot keep the helper away from other files (no Landlock)")
	}
	return err
}

// worker has one module.
type worker struct {
	conn       *frame.Conn
	output     *output
	dir        string
	enforced   bounds.Enforced
	noCache    error // why no directory is used
	compiled   bool
	operations []string
	module     *module
	stopped    error // why a host function stopped the module
}

// loadError says that a module cannot run here.
type loadError struct{ reason string }

func (e *loadError) Error() string { return e.reason }

// crashError says that a module failed.
type crashError struct{ reason string }

// errOutgrown says that a module needs more of a stack than the interpreter has. Compiled
// code has much more.
var errOutgrown = errors.New("the stack of the interpreter is full")

func (e *crashError) Error() string { return e.reason }

func (w *worker) exit(err error) frame.ExitBody {
	if e, ok := errors.AsType[*loadError](err); ok {
		return frame.ExitBody{Why: frame.CannotLoad, Reason: e.reason}
	}
	if e, ok := errors.AsType[*crashError](err); ok {
		return frame.ExitBody{Why: frame.Crashed, Reason: e.reason}
	}
	why := frame.Failed
	if errors.Is(err, errOutgrown) {
		why = frame.Outgrown
	}
	return frame.ExitBody{Why: why, Reason: err.Error()}
}

// serve loads the module and answers calls until the connection ends, which is
// [io.EOF].
func (w *worker) serve() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err := w.load(); err != nil {
		return err
	}
	if err := w.start(); err != nil {
		return err
	}
	for {
		_, body, err := w.conn.Receive(frame.Call)
		if err != nil {
			return err
		}
		call, err := frame.DecodeCall(body)
		if err != nil {
			return err
		}
		output, err := w.call(call.Export, call.Input)
		if err != nil {
			return err
		}
		w.output.flush()
		if err := w.conn.Send(frame.Reply, output); err != nil {
			return err
		}
	}
}

func (w *worker) load() error {
	_, body, err := w.conn.Receive(frame.Load)
	if err != nil {
		return err
	}
	load, err := frame.DecodeLoad(body)
	if err != nil {
		return err
	}
	w.operations, w.compiled = load.Operations, load.Compile
	w.module = &module{bytes: load.Module, pages: load.Pages, functions: w.hostFunctions()}
	prepare := w.interpret
	if load.Compile {
		prepare = w.compile
	}
	unusable, err := prepare()
	if err != nil {
		return err
	}
	loaded := frame.LoadedBody{Files: w.enforced.Files, Calls: w.enforced.Calls}
	if unusable != nil {
		loaded.Warning = unusable.Error()
	}
	return w.conn.Send(frame.Reply, loaded.Parts()...)
}

func (w *worker) start() error {
	if _, _, err := w.conn.Receive(frame.Start); err != nil {
		return err
	}
	if err := w.instantiate(); err != nil {
		return err
	}
	w.output.flush()
	return w.conn.Send(frame.Reply)
}
