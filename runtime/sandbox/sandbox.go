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
	// Ahead is a process that [Start] began to start with the same options. It may be nil.
	Ahead *Ahead
	// Warn is told why the cache cannot be used, and that Linux does not bound the
	// module's process; the module runs all the same. It may be nil.
	Warn func(error)
	// Log gets each line that the module prints or writes to Extism's log, cleaned
	// and without its end, and one line more if there are too many. It may be nil.
	Log func(line string)
}

// Module is a loaded module. Its methods must not be called at once.
type Module struct {
	limits     Limits
	helper     *Helper
	host       Host
	operations []string
	exports    []string
	process    *process
	log        *logLines
	dead       error
}

// Open checks a module, and has it compiled and instantiated.
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
	info, err := Check(wasm, opts.Operations)
	if err != nil {
		return nil, err
	}
	prepared, err := prepare(wasm)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	m := &Module{
		limits: opts.Limits.withDefaults(), helper: opts.Helper, host: opts.Host, exports: info.Exports,
		operations: slices.Sorted(slices.Values(opts.Operations)), log: &logLines{show: opts.Log},
	}
	dir, unusable := cacheDir(opts.CacheDir, opts.Digest, wasm)
	kept := hasEntries(dir)
	m.process = opts.Ahead.take(dir)
	loaded, err := m.load(ctx, name, dir, prepared)
	if err != nil && kept && isFailure(err) {
		// The module may be sound, and what is kept of it not.
		unusable, m.process = errors.Join(err, os.RemoveAll(dir)), nil
		loaded, err = m.load(ctx, name, "", prepared)
	}
	if err == nil {
		err = m.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close(ctx))
	}
	if unusable == nil && loaded.Warning != "" {
		unusable = errors.New(loaded.Warning)
	}
	if opts.Warn == nil {
		return m, nil
	}
	if unusable != nil {
		opts.Warn(fmt.Errorf("the cache of compiled providers could not be used: %w", unusable))
	}
	if runtime.GOOS == "linux" && !loaded.Calls {
		opts.Warn(errors.New("the process of a provider's module is not bounded by this system (no seccomp)"))
	}
	return m, nil
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
	return m.call(ctx, frame.CallBody{Export: export, Input: input})
}

// Close ends the module's process. Closing twice does nothing.
func (m *Module) Close(context.Context) error {
	if m.dead == nil {
		m.dead = errors.New("it is closed")
	}
	if m.process != nil {
		m.process.end(m.dead)
		m.process.wait()
	}
	return nil
}
