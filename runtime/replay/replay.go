// Package replay answers the calls of a module from stored runs, without loading it.
//
// A module has no clock, no random numbers and no files of its own. What it does next,
// a request or an output, is a function of what it was given before: inputs and replies.
// As long as a run equals a stored one in all that was given, the module would do the
// same, so it need not be loaded. Only what a module does is stored: each request is
// made again, and its reply is a new one. If a reply differs from all stored runs, the
// module is loaded and led to that point: it is given the inputs and replies of this
// run, and its requests are compared with those made for it and not made again.
//
// # Determinism
//
// If the loaded module differs from what was done for it, effects that it did not ask
// for may have happened. The run then ends with a [*DifferentError]. This is the only
// cause of that error, and a deterministic module cannot reach it:
//
//   - Stored runs are used only under an equal [Options.Key], which stands for all that
//     the function depends on.
//   - Stored runs that contradict each other are discarded when the file is read, before
//     any request.
//   - A run that ended with an error is not stored, because an error can depend on time.
//   - The file's checksum covers the key and all runs. It has no secret and only detects
//     damage: what a user can write to their private directory is trusted.
package replay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// Host carries out what a module asks for.
type Host interface {
	Call(ctx context.Context, operation string, request []byte) (reply []byte)
}

// Runner is a loaded module.
type Runner interface {
	Call(ctx context.Context, export string, input []byte) (output []byte, err error)
	Close(ctx context.Context) error
}

// Options say which module is replayed, and from where.
type Options struct {
	// File keeps the runs; empty keeps none. Nobody else may write to its directory.
	File string
	// Key identifies all that decides what the module does: its bytes, its limits and
	// the program that runs it.
	Key string
	// Host answers the requests.
	Host Host
	// Open loads the module, to which it connects the given host.
	Open func(ctx context.Context, host Host) (Runner, error)
	// Keep reports whether something may be written to File. Nil allows everything.
	Keep func(data []byte) bool
}

// Module is a module that is loaded when necessary. It is not safe for concurrent use.
type Module struct {
	opts   Options
	known  []run // the newest first
	like   []run // those of known that equal this run so far
	calls  []call
	runner Runner
	loaded bool

	mu        sync.Mutex // the runner may ask after it was told to stop
	steps     run
	led       int // steps that the runner has made as well
	given     sum // what the next step follows
	size      int // of this run in bytes, with its replies
	forgotten bool
	different error // a DifferentError
}

// call is a call of an export in this run.
type call struct {
	export string
	input  []byte
}

// run is the steps of a run.
type run []step

// step is what a module did after it was given an input or a reply: it made a request,
// or it returned an output and Operation is empty.
type step struct {
	Given     sum    `json:"given"`
	Operation string `json:"operation,omitempty"`
	Data      text   `json:"data"`

	reply []byte // of this run; a stored step has none, since it may be secret
}

func (s step) is(operation string, data []byte) bool {
	return s.Operation == operation && bytes.Equal(s.Data, data)
}

const (
	// maxSize is the most that a stored run takes, in bytes with the replies.
	maxSize = 256 << 10
	// maxRuns is how many runs are stored, for replies that change now and then.
	maxRuns = 8
)

// DifferentError means that a module does not do what was done for it.
type DifferentError struct{ File string }

func (e *DifferentError) Error() string {
	return "the module does not repeat the run stored in " + e.File
}

// Hint says what to do about it.
func (e *DifferentError) Hint() string { return "the file is removed: run the command again" }

// New prepares a module. A file that cannot be used counts as empty.
func New(opts Options) *Module {
	known := read(opts.File, opts.Key)
	return &Module{opts: opts, known: known, like: known}
}

// Loaded reports whether the module was loaded, or could not be.
func (m *Module) Loaded() bool { return m.loaded }

// Call calls an export.
//
// # Errors
//
// Those of [Options.Open] and of its [Runner]; a [*DifferentError]; the cause of ctx
// when it is done. After an error the module must be closed.
func (m *Module) Call(ctx context.Context, export string, input []byte) ([]byte, error) {
	c := call{export, input}
	m.given = hash([]byte(export + "\x00" + string(input)))
	if m.runner != nil {
		return m.run(ctx, c)
	}
	m.calls = append(m.calls, c)
	if output, ok := m.replay(ctx); ok {
		return output, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return m.load(ctx)
}

// replay repeats what stored runs did in a call. They do the same as long as they are
// given the same.
func (m *Module) replay(ctx context.Context) (output []byte, ok bool) {
	for ctx.Err() == nil {
		n := len(m.steps)
		m.like = slices.DeleteFunc(slices.Clone(m.like), func(r run) bool { return len(r) <= n || r[n].Given != m.given })
		if len(m.like) == 0 {
			return nil, false
		}
		next := m.like[0][n]
		m.steps = append(m.steps, next)
		m.count(next.Data)
		if next.Operation == "" {
			return next.Data, true
		}
		m.steps[n].reply = m.opts.Host.Call(ctx, next.Operation, next.Data)
		m.answered(m.steps[n].reply)
	}
	return nil, false
}

// load opens the module and makes the calls of this run. It returns the output of the
// last one.
func (m *Module) load(ctx context.Context) (output []byte, err error) {
	m.loaded = true
	if m.runner, err = m.opts.Open(ctx, host{m}); err != nil {
		m.runner = nil
		return nil, err
	}
	for _, c := range m.calls {
		if output, err = m.run(ctx, c); err != nil {
			return nil, err
		}
	}
	return output, nil
}

func (m *Module) run(ctx context.Context, c call) ([]byte, error) {
	output, err := m.runner.Call(ctx, c.export, c.input)
	if err != nil {
		return nil, m.forget(err)
	}
	_, _, err = m.did("", output)
	return output, err
}

// forget gives up storing a run that failed. It returns the error of the run.
func (m *Module) forget(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgotten = true
	return cmp.Or(m.different, err)
}

// did notes a step of the runner. While it is led, the step has to be the one that was
// made for it; it gets the reply of that one.
func (m *Module) did(operation string, data []byte) (reply []byte, led bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.different != nil:
		return nil, true, m.different
	case m.led < len(m.steps):
		s := m.steps[m.led]
		if !s.is(operation, data) {
			m.differ()
		}
		m.led++
		return s.reply, true, m.different
	}
	m.count(data)
	if !m.forgotten {
		m.steps = append(m.steps, step{Given: m.given, Operation: operation, Data: data})
		m.led++
	}
	// If the host panics, the module gets a reply that is not known here. What it does
	// then must not be repeated.
	m.given = ""
	return nil, false, nil
}

// answered notes the reply to a request.
func (m *Module) answered(reply []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.given = hash(reply)
	m.count(reply)
}

// count counts what the run takes, and gives up storing it if that is too much.
func (m *Module) count(data []byte) {
	m.size += len(data)
	m.forgotten = m.forgotten || m.size > maxSize
}

// differ ends the run: the effects of the steps so far cannot be undone.
func (m *Module) differ() {
	m.forgotten, m.different = true, &DifferentError{m.opts.File}
	if err := os.Remove(m.opts.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.different = errors.Join(m.different, err)
	}
}

// host is the host of a runner.
type host struct{ of *Module }

// Call implements [Host].
func (h host) Call(ctx context.Context, operation string, request []byte) []byte {
	reply, led, err := h.of.did(operation, request)
	switch {
	case err != nil:
		return []byte(`{"error":{"code":"failed","message":"the run has ended"}}`)
	case !led:
		reply = h.of.opts.Host.Call(ctx, operation, request)
		h.of.answered(reply)
	}
	return reply
}

// Close closes the module if it was loaded, and stores the run. If it cannot be stored,
// the module is loaded the next time.
func (m *Module) Close(ctx context.Context) error {
	if m.runner == nil {
		return nil
	}
	err := m.runner.Close(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	keep := func(s step) bool { return m.opts.Keep == nil || m.opts.Keep(s.Data) }
	if m.opts.File != "" && !m.forgotten && !slices.ContainsFunc(m.steps, func(s step) bool { return !keep(s) }) {
		write(m.opts.File, m.opts.Key, append([]run{m.steps}, m.known...))
	}
	return err
}
