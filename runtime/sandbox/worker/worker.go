// Package worker runs one module for the package sandbox, in a process of its own. It is
// the only importer of Extism and wazero.
//
// The process first bounds itself, then loads the module that it receives and answers
// calls until its connection ends. It trusts the host, and the host does not trust it.
package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/bounds"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Main runs the helper, and does not return, if this process was started as one.
func Main() {
	if len(os.Args) > 0 && os.Args[0] == frame.ProgramName {
		os.Exit(run(os.Args[1:]))
	}
}

// run runs the helper with the arguments of [bounds.EnterArgs]; the directory is that for
// compiled code. Standard input and output are its connection.
func run(args []string) int {
	conn := frame.NewConn(os.Stdin, os.Stdout)
	// Extism prints to standard output, which carries frames.
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

// bound bounds the process, before it reads anything.
func (w *worker) bound(args []string) error {
	b, enforced, err := bounds.EnterArgs(args)
	w.space, w.dir, w.enforced = b.Space, b.Dir, enforced
	if !w.enforced.Files && bounds.Needed {
		w.dir, w.noCache = "", errors.New("this system cannot keep the helper away from other files (no Landlock)")
	}
	return err
}

// worker runs one module.
type worker struct {
	conn       *frame.Conn
	output     *output
	space      uint64
	dir        string
	enforced   bounds.Enforced
	noCache    error // why dir is not used, or nil
	compiled   bool
	operations []string
	module     *module
	stopped    error // why a host call stopped the module, or nil
}

// loadError is the reason why a module cannot run here.
type loadError struct{ reason string }

func (e *loadError) Error() string { return e.reason }

// crashError is the reason why a module failed.
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

// serve loads the module and answers calls. It returns [io.EOF] when the connection ends.
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
	w.limitMemory(load.Pages)
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
	if err := bounds.Narrow(w.enforced); err != nil {
		return err
	}
	loaded := frame.LoadedBody{Files: w.enforced.Files, Calls: w.enforced.Calls}
	if unusable != nil {
		loaded.Warning = unusable.Error()
	}
	return w.conn.Send(frame.Reply, loaded.Parts()...)
}

// limitMemory has a collection start before the process reaches the kernel's limit. The
// memories of the module and of Extism are allocated whole, so that they need not be copied
// when they grow. Only what is used of them takes memory, but Go counts all.
func (w *worker) limitMemory(pages uint32) {
	const pageSize, memories = 64 << 10, 2
	whole := min(memories*pageSize*uint64(pages), w.space)
	debug.SetMemoryLimit(int64(whole + (w.space-whole)/4))
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
