// Package replay answers the calls of a module from what it did in its last
// runs. A module has no clock, randomness or files: what it asks of its host and
// what it answers follow from how it is called and from the host's replies
// alone. So as long as those are the same, the module need not be loaded. What
// it asks for is asked of the host again, each time: nothing of that is taken
// from an earlier run.
//
// Where something differs, the module is loaded and led to that point: it is
// called as it was, and gets the replies that its host gave in this run.
package replay

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// Host carries out what a module asks for, as the sandbox has it.
type Host interface {
	Call(ctx context.Context, operation string, request []byte) (reply []byte)
}

// Runner is a module that is loaded.
type Runner interface {
	Call(ctx context.Context, export string, input []byte) (output []byte, err error)
	Close(ctx context.Context) error
}

// Options say whose calls are answered.
type Options struct {
	// File is where it is kept what the module does; empty keeps nothing. What
	// is there is taken at its word, so that nobody else may write to its
	// directory.
	File string
	// Key stands for all that a module does the same by: its digest, its limits.
	Key string
	// Host is what the module asks.
	Host Host
	// Open loads the module. Its host is the one that it is handed here.
	Open func(ctx context.Context, host Host) (Runner, error)
	// Keep tells whether something may be written to a file. Nil allows all.
	Keep func(data []byte) bool
}

// Module is a module that is loaded when it has to be. Its methods must not be
// called at once.
type Module struct {
	opts   Options
	known  []run // its last runs, the newest first
	like   []run // what is left of those that this one is like so far
	runner Runner
	loaded bool // or it was tried

	mu   sync.Mutex
	done run
	// now is the runner's call, and led what it did of it in this run before the
	// runner was there. Stop ends it.
	now  *call
	led  []exchange
	stop context.CancelCauseFunc
	// size is what this run takes, in bytes; forgotten has nothing of it kept.
	size      int
	forgotten bool
}

// run is a run's calls.
type run []call

// call is one of an export.
type call struct {
	Export    string     `json:"export"`
	Input     sum        `json:"input"`
	Exchanges []exchange `json:"exchanges,omitempty"`
	Output    text       `json:"output"`

	input []byte
}

// exchange is one call of the host.
type exchange struct {
	Operation string `json:"operation"`
	Request   text   `json:"request"`
	// A reply may have in it what isn't to be written to a file.
	Reply sum `json:"reply"`

	reply []byte
}

func (e exchange) same(as exchange) bool {
	return e.Operation == as.Operation && bytes.Equal(e.Request, as.Request) && e.Reply == as.Reply
}

func (e *exchange) answer(reply []byte) { e.reply, e.Reply = reply, hash(reply) }

const (
	// maxSize bounds what is kept of a run, in bytes with the host's replies; of
	// one that takes more, nothing is.
	maxSize = 256 << 10
	// maxRuns is how many runs are kept, so that a module need not be loaded for
	// what changes now and then: how a program ends, what is built.
	maxRuns = 8
)

// DifferentError says that a module did something else than before, though it
// was called as it was then. What was asked for by then has been done.
type DifferentError struct{ File string }

func (e *DifferentError) Error() string {
	return "it does not do what it did in a run before, which is kept in " + e.File
}

// Hint says what to do about it.
func (e *DifferentError) Hint() string {
	return "what was kept is removed: run it again"
}

// New prepares a module. What is kept and can't be used counts as nothing.
func New(opts Options) *Module {
	known := read(opts.File, opts.Key)
	return &Module{opts: opts, known: known, like: known}
}

// Loaded tells whether the module had to be loaded, be it that it could not be.
func (m *Module) Loaded() bool { return m.loaded }

// Call calls an export.
//
// # Errors
//
// Those of [Options.Open] and of its [Runner]; a [*DifferentError]; when ctx is
// done its cause. After an error the module must be closed.
func (m *Module) Call(ctx context.Context, export string, input []byte) ([]byte, error) {
	c := &call{Export: export, Input: hash(input), input: input}
	if m.runner == nil {
		if m.repeat(ctx, c) {
			m.done = append(m.done, *c)
			return c.Output, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := m.load(ctx); err != nil {
			return nil, err
		}
	}
	err := m.run(ctx, c)
	return c.Output, err
}

// repeat makes a call as it was made in one of the last runs, as long as the
// host gives the replies of one. What was asked by then is in the call.
func (m *Module) repeat(ctx context.Context, c *call) bool {
	m.like = those(m.like, func(r run) bool { return len(r) > 0 && r[0].Export == c.Export && r[0].Input == c.Input })
	for n := 0; len(m.like) > 0; n++ {
		// Runs that were alike so far ask for the same now.
		now := m.like[0][0]
		if n == len(now.Exchanges) {
			m.like = those(m.like, func(r run) bool { return len(r[0].Exchanges) == n && bytes.Equal(r[0].Output, now.Output) })
			for i := range m.like {
				m.like[i] = m.like[i][1:]
			}
			c.Output = now.Output
			return true
		}
		e := now.Exchanges[n]
		e.answer(m.opts.Host.Call(ctx, e.Operation, e.Request))
		c.Exchanges = append(c.Exchanges, e)
		if ctx.Err() != nil {
			return false
		}
		m.like = those(m.like, func(r run) bool { return len(r[0].Exchanges) > n && r[0].Exchanges[n].same(e) })
	}
	return false
}

func those(runs []run, want func(run) bool) []run {
	return slices.DeleteFunc(slices.Clone(runs), func(r run) bool { return !want(r) })
}

// load leads the module through the calls of this run.
func (m *Module) load(ctx context.Context) error {
	m.loaded = true
	runner, err := m.opts.Open(ctx, host{m})
	if err != nil {
		return err
	}
	m.runner = runner
	before := m.done
	m.done = nil
	for _, c := range before {
		output := c.Output
		if err := m.run(ctx, &c); err != nil {
			return err
		}
		if !bytes.Equal(c.Output, output) {
			return m.different()
		}
	}
	return nil
}

// run has the runner make a call. What was asked for of it in this run already,
// the runner is to ask for again.
func (m *Module) run(ctx context.Context, c *call) (err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	m.begin(c, stop)
	c.Output, err = m.runner.Call(ctx, c.Export, c.input)
	if m.end(c, err) {
		return m.different()
	}
	return err
}

func (m *Module) begin(c *call, stop context.CancelCauseFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.stop = c, stop
	m.led, c.Exchanges = c.Exchanges, nil
}

// end tells whether the runner left out what it had asked for before.
func (m *Module) end(c *call, err error) (different bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = nil
	m.take(len(c.Output))
	if err != nil {
		m.forget()
	}
	if !m.forgotten {
		m.done = append(m.done, *c)
	}
	return err == nil && len(m.led) > 0
}

// take counts bytes of what is to be kept.
func (m *Module) take(n int) {
	if m.size += n; m.size > maxSize {
		m.forget()
	}
}

func (m *Module) forget() { m.forgotten, m.done = true, nil }

// different gives up: what has been asked for can't be undone.
func (m *Module) different() error {
	m.forget()
	err := &DifferentError{m.opts.File}
	if removed := os.Remove(m.opts.File); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
		return errors.Join(err, removed)
	}
	return err
}

// host is what a runner asks. One that does not stop when it is told to may ask
// after its call is over.
type host struct{ of *Module }

// Call implements [Host].
func (h host) Call(ctx context.Context, operation string, request []byte) []byte {
	if reply, ok := h.of.lead(operation, request); ok {
		return reply
	}
	e := exchange{Operation: operation, Request: request}
	reply := h.of.opts.Host.Call(ctx, operation, request)
	e.answer(reply)
	h.of.note(e)
	return reply
}

// lead answers what was asked for in this run already.
func (m *Module) lead(operation string, request []byte) (reply []byte, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil || len(m.led) == 0 {
		return nil, false
	}
	e := m.led[0]
	if e.Operation != operation || !bytes.Equal(e.Request, request) {
		m.stop(m.different())
		return []byte(`{"error":{"code":"failed","message":"the run is given up"}}`), true
	}
	m.led = m.led[1:]
	m.add(e)
	return e.reply, true
}

func (m *Module) note(e exchange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != nil {
		m.add(e)
	}
}

// add puts an exchange to the runner's call, as long as that may be kept.
func (m *Module) add(e exchange) {
	m.take(len(e.Request) + len(e.reply))
	if !m.forgotten {
		m.now.Exchanges = append(m.now.Exchanges, e)
	}
}

// Close closes the module if it was loaded, and keeps what it did. That it can't
// be kept is no error: the module is loaded then, the next time.
func (m *Module) Close(ctx context.Context) error {
	if m.runner == nil {
		return nil
	}
	err := m.runner.Close(ctx)
	if m.opts.File != "" && !m.forgotten && m.mayKeep() {
		write(m.opts.File, m.opts.Key, append([]run{m.done}, m.known...))
	}
	return err
}

func (m *Module) mayKeep() bool {
	if m.opts.Keep == nil {
		return true
	}
	for _, c := range m.done {
		for _, e := range c.Exchanges {
			if !m.opts.Keep(e.Request) {
				return false
			}
		}
		if !m.opts.Keep(c.Output) {
			return false
		}
	}
	return true
}
