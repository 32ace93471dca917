// Package sandbox runs a provider's module. A module is a byte pipe here: an
// export takes bytes and gives bytes, and whatever it wants of the world it
// asks of a [Host], in bytes. It has no files, network, arguments, environment
// or streams, and its clock and randomness are the same in every run. Time,
// memory, calls and sizes are bounded.
//
// A module is compiled and run by the package worker in a helper process, which
// the kernel bounds too. The two talk in frames, see the package frame. A program
// that uses this package calls [Main] first.
package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// Host carries out what a module asks for. It always answers, with a reply of
// the ABI, and never panics. The module waits for it; its time is not the
// module's.
type Host interface {
	Call(ctx context.Context, operation string, request []byte) (reply []byte)
}

// Limits bound a module; a zero field takes its default.
type Limits struct {
	// Memory is how much the module may have, in bytes, by default 64 MiB. It
	// is rounded up to whole pages of 64 KiB.
	Memory uint64
	// CPU is how much processor time the module may take in one call, outside of the
	// host, by default 10 s.
	CPU time.Duration
	// Calls is how many host calls one call may make, by default 100,000.
	Calls int
	// Load is how much processor time loading the module may take, by default 30 s.
	// Systems other than Linux do not tell either; time counts there.
	Load time.Duration
	// LoadMemory is how much memory loading the module may take, in bytes, by default
	// 1 GiB. Only Linux enforces it.
	LoadMemory uint64
}

const (
	pageSize          = 64 << 10
	defaultMemory     = 64 << 20
	defaultCPU        = 10 * time.Second
	defaultCalls      = 100_000
	defaultLoad       = 30 * time.Second
	defaultLoadMemory = 1 << 30
)

func (l Limits) withDefaults() Limits {
	l.Memory = cmp.Or(l.Memory, defaultMemory)
	l.CPU = cmp.Or(l.CPU, defaultCPU)
	l.Calls = cmp.Or(l.Calls, defaultCalls)
	l.Load = cmp.Or(l.Load, defaultLoad)
	l.LoadMemory = cmp.Or(l.LoadMemory, defaultLoadMemory)
	return l
}

// pages is the module's memory in whole pages, as many as Wasm can have.
func (l Limits) pages() uint32 {
	return uint32(min((l.Memory+pageSize-1)/pageSize, 1<<16))
}

// space is what the helper may have besides what it starts with. A memory that
// grows is copied.
func (l Limits) space() uint64 { return l.LoadMemory + 2*uint64(l.pages())*pageSize }

// Options say how a module is loaded.
type Options struct {
	// Operations are the names of what the host offers, at most 255. A module that
	// imports anything else is refused.
	Operations []string
	Host       Host
	Limits     Limits
	// Helper is the program in which the module runs, by default this program itself.
	Helper *Helper
	// CacheDir is where compiled code is kept, in a directory for each module and
	// version of this program; empty keeps none.
	CacheDir string
	// Digest is the module's SHA-256, in hex, if it is known already.
	Digest string
	// Warn is told why the cache cannot be used, and that Linux does not bound the
	// module's process; the module runs all the same. It may be nil.
	Warn func(error)
	// Log gets each line that the module prints or writes to Extism's log, cleaned
	// and without its end, one line more if there are too many, and why the module could
	// not be compiled for the next run. Only the last may come while the host works. It
	// may be nil.
	Log func(line string)
	// Waiting is told that the run waits for the module to be loaded, after a second, or to
	// be compiled. It may be called beside the other functions, and may be nil.
	Waiting func(compiled bool)
}

// Module is a loaded module. Its methods must not be called at once.
type Module struct {
	name       string // of the helper
	wasm       []byte
	dir        string // for its compiled code; empty if none is kept
	copies     string // for a copy of the helper
	limits     Limits
	helper     *Helper
	host       Host
	operations []string
	exports    []string
	warn       func(error)
	waiting    func(compiled bool)
	log        *logLines

	process  *process
	compiled bool
	turns    []*turn // of an interpreted module
	past     int     // bytes that it was given
	behind   behind
	dead     error
}

// Open checks a module, and has it loaded and instantiated. It runs on the interpreter
// unless its compiled code is kept.
//
// # Errors
//
// A [*LoadError] says that the bytes are not a module that can run here. The
// errors of [Module.Call] can come up too, since a module's start section runs.
func Open(ctx context.Context, wasm []byte, opts Options) (*Module, error) {
	return open(ctx, wasm, opts, frame.ProgramName)
}

// open has the helper called by a name.
func open(ctx context.Context, wasm []byte, opts Options, name string) (*Module, error) {
	m, unusable, err := newModule(ctx, wasm, opts, name)
	if err != nil {
		return nil, err
	}
	defer m.waits()()
	kept, dir := isComplete(m.dir), ""
	if kept {
		dir = m.dir
	}
	loaded, err := m.load(ctx, dir, kept, false)
	if err != nil && kept && isFailure(err) {
		// The module may be sound, and what is kept of it not.
		unusable = errors.Join(err, os.RemoveAll(m.dir))
		m.dir = ""
		loaded, err = m.load(ctx, "", false, false)
	}
	if err == nil {
		m.warnOf(loaded, unusable)
		_, err = m.take(ctx, frame.Start)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close(ctx))
	}
	return m, nil
}

// newModule checks a module. unusable says why its compiled code cannot be kept.
func newModule(ctx context.Context, wasm []byte, opts Options, name string) (m *Module, unusable, err error) {
	info, err := Check(wasm, opts.Operations)
	if err != nil {
		return nil, nil, err
	}
	prepared, err := prepare(wasm)
	if err != nil {
		return nil, nil, err
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	m = &Module{
		name: name, wasm: prepared, limits: opts.Limits.withDefaults(), helper: opts.Helper, host: opts.Host, exports: info.Exports,
		operations: slices.Sorted(slices.Values(opts.Operations)), warn: opts.Warn, waiting: opts.Waiting, log: &logLines{show: opts.Log},
	}
	if m.dir, unusable = cacheDir(opts.CacheDir, opts.Digest, wasm); m.dir != "" {
		m.copies = filepath.Dir(m.dir)
	}
	return m, unusable, nil
}

// warnOf warns of what a module runs without: a cache, or bounds.
func (m *Module) warnOf(loaded frame.LoadedBody, unusable error) {
	if unusable == nil && loaded.Warning != "" {
		unusable, m.dir = errors.New(loaded.Warning), ""
	}
	if unusable != nil {
		m.warnOfCache(unusable)
	}
	if runtime.GOOS == "linux" && !loaded.Calls && m.warn != nil {
		m.warn(errors.New("the process of a provider's module is not bounded by this system (no seccomp)"))
	}
}

func (m *Module) warnOfCache(unusable error) {
	if m.warn != nil {
		m.warn(fmt.Errorf("the cache of compiled providers could not be used: %w", unusable))
	}
}

// silentAfter is how long a run is silent before it says what it waits for.
const silentAfter = time.Second

// waits has the host told that the run waits for the module, unless stop is called before.
func (m *Module) waits() (stop func() bool) {
	if m.waiting == nil {
		return func() bool { return false }
	}
	return time.AfterFunc(silentAfter, func() { m.waiting(false) }).Stop
}

// Call runs an export. After an error the module must be closed.
//
// # Errors
//
// A [*LimitError] says which bound was reached, a [*CrashError] how the module
// failed; when ctx is done the error is its cause.
func (m *Module) Call(ctx context.Context, export string, input []byte) (output []byte, err error) {
	if m.dead != nil {
		return nil, fmt.Errorf("the module cannot be called again: %w", m.dead)
	}
	if !slices.Contains(m.exports, export) {
		return nil, &LoadError{Reason: fmt.Sprintf("it has no function %q", export)}
	}
	return m.take(ctx, frame.Call, frame.CallBody{Export: export, Input: input}.Parts()...)
}

// Close ends the module's process. Closing twice does nothing.
func (m *Module) Close(context.Context) error {
	if m.dead == nil {
		m.dead = errors.New("it is closed")
	}
	m.behind.end()
	if m.process != nil {
		m.process.end(m.dead)
		m.process.wait()
	}
	return nil
}
