// Package sandbox runs a provider's module. Here a module is a byte pipe: an export
// takes bytes and returns bytes, and so do the host calls that it makes to a [Host].
// It has no files, network, arguments, environment or streams, and its clock and
// randomness are the same in every run. Time, memory, calls and sizes are bounded.
//
// The package worker compiles and runs the module in a helper process, which the
// kernel bounds as well. Both sides exchange frames, see the package frame. A program
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

// Host carries out the host calls of a module. It always returns a reply of the ABI,
// and never panics. The module waits meanwhile, and its limits of time do not count
// that.
type Host interface {
	Call(ctx context.Context, operation string, request []byte) (reply []byte)
}

// Limits bound a module; a zero field takes its default.
type Limits struct {
	// Memory bounds the memory of the module, in bytes, by default 64 MiB. It is
	// rounded up to whole pages of 64 KiB.
	Memory uint64
	// CPU bounds the processor time of one call, without that of the host, by default
	// 10 s.
	CPU time.Duration
	// Calls bounds the host calls of one call, by default 100,000.
	Calls int
	// Load bounds the processor time for loading the module, by default 30 s. Only
	// Linux reports processor time; elsewhere CPU and Load bound elapsed time.
	Load time.Duration
	// LoadMemory bounds the memory for loading the module, in bytes, by default 1 GiB.
	// Only Linux enforces it.
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

// pages is the limit of the module's memory in whole pages, of which Wasm allows 65,536.
func (l Limits) pages() uint32 {
	return uint32(min((l.Memory+pageSize-1)/pageSize, 1<<16))
}

// space is the address space that the helper may add to that of its start. A memory
// that grows is copied, so there is room for two.
func (l Limits) space() uint64 { return l.LoadMemory + 2*uint64(l.pages())*pageSize }

// Options say how a module is loaded.
type Options struct {
	// Operations are the names of the operations that the host offers, at most 255. A
	// module that imports others is refused.
	Operations []string
	Host       Host
	Limits     Limits
	// Helper is the program that runs the module, by default this program itself.
	Helper *Helper
	// CacheDir is the directory for compiled code, with a subdirectory for each module
	// and version of this program. If it is empty, compiled code is not stored.
	CacheDir string
	// Digest is the SHA-256 of the module in hex, or empty if the caller does not know it.
	Digest string
	// Ahead is a helper that [Start] began to start with the same options. It may be nil.
	Ahead *Ahead
	// Warn gets the reason why the cache cannot be used, and that this Linux cannot
	// bound the helper. The module runs nevertheless. It may be nil.
	Warn func(error)
	// Log gets each line that the module prints or writes to Extism's log, cleaned
	// and without its end, one line more if there are too many, and why the module could
	// not be compiled for the next run. Only the last may come while the host works. It
	// may be nil.
	Log func(line string)
	// Waiting is called when the run has waited for a second until the module is loaded,
	// or begins to wait until it is compiled, perhaps beside other functions. It may be nil.
	Waiting func(compiled bool)
}

// Module is a loaded module. It is not safe for concurrent use.
type Module struct {
	name       string // of the helper
	wasm       []byte
	dir        string // for its compiled code; empty if none is kept
	copies     string // for a copy of the helper
	limits     Limits
	helper     *Helper
	ahead      *Ahead
	host       Host
	operations []string // that the module imports: an escaped one can call no others
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

// Open checks a module, starts its helper, loads the module and runs its start section.
// The module runs on the interpreter unless its compiled code is stored.
//
// # Errors
//
// A [*LoadError] says that the bytes are not a module that can run here. Since the
// start section runs, there can be the errors of [Module.Call] as well.
func Open(ctx context.Context, wasm []byte, opts Options) (*Module, error) {
	return open(ctx, wasm, opts, frame.ProgramName)
}

// open is [Open] with a name for the helper, which is another one in tests.
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
		// The module may be sound, and its compiled code damaged.
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

// newModule checks a module. unusable is the reason why its compiled code cannot be
// stored, or nil.
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
		name: name, wasm: prepared, limits: opts.Limits.withDefaults(), helper: opts.Helper, ahead: opts.Ahead, host: opts.Host, exports: info.Exports,
		operations: info.Operations(), warn: opts.Warn, waiting: opts.Waiting, log: &logLines{show: opts.Log},
	}
	if m.dir, unusable = cacheDir(opts.CacheDir, opts.Digest, wasm); m.dir != "" {
		m.copies = filepath.Dir(m.dir)
	}
	return m, unusable, nil
}

// warnOf warns that a module runs without a cache, or without the bounds of the kernel.
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

// waits calls waiting if the module takes longer to load, unless stop is called before.
func (m *Module) waits() (stop func() bool) {
	if m.waiting == nil {
		return func() bool { return false }
	}
	return time.AfterFunc(silentAfter, func() { m.waiting(false) }).Stop
}

// Call runs an export. After an error, close the module.
//
// # Errors
//
// A [*LimitError] names the limit that was reached, and a [*CrashError] the failure of
// the module. When ctx is done, the error is its cause.
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
