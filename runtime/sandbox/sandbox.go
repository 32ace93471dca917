// Package sandbox runs a provider's module. A module is a byte pipe here: an
// export takes bytes and gives bytes, and whatever it wants of the world it
// asks of a [Host], in bytes. It has no files, network, arguments, environment
// or streams, and its clock and randomness are the same in every run. Time,
// memory, calls and sizes are bounded.
//
// It is the only importer of Extism and wazero.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
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
	// CPU is how long the module may compute in one call, outside of the host,
	// by default 10 s.
	CPU time.Duration
	// Calls is how many host calls one call may make, by default 100,000.
	Calls int
}

const (
	pageSize      = 64 << 10
	defaultMemory = 64 << 20
	defaultCPU    = 10 * time.Second
	defaultCalls  = 100_000
)

func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = defaultMemory
	}
	if l.CPU == 0 {
		l.CPU = defaultCPU
	}
	if l.Calls == 0 {
		l.Calls = defaultCalls
	}
	return l
}

// Options say how a module is loaded.
type Options struct {
	// Operations are the names of what the host offers. A module that imports
	// anything else is refused.
	Operations []string
	Host       Host
	Limits     Limits
	// CacheDir is where compiled code is kept; empty keeps none.
	CacheDir string
	// Warn is told, once, why the cache can't be used; the module runs all the
	// same. It may be nil.
	Warn func(error)
}

// Module is a loaded module. Its methods must not be called at once.
type Module struct {
	limits   Limits
	host     Host
	compiled *extism.CompiledPlugin
	cache    wazero.CompilationCache
	plugin   *extism.Plugin
	crash    *crashOutput
	meter    *meter
	gc       gcLease
	dead     error
}

// smallModule is a size in bytes up to which loading makes too little garbage
// for a collection to be worth its time.
const smallModule = 8 << 20

// Open checks, compiles and instantiates a module.
//
// # Errors
//
// A [*LoadError] says that the bytes are no module that can run here. The
// errors of [Module.Call] can come up too, since a module's start section runs.
func Open(ctx context.Context, wasm []byte, opts Options) (*Module, error) {
	if _, err := Check(wasm, opts.Operations); err != nil {
		return nil, err
	}
	wasm, err := boundTables(wasm)
	if err != nil {
		return nil, err
	}
	// Extism sends a guest's output to our own streams when this is set; what
	// a child gets of the environment was read before.
	if err := os.Unsetenv("EXTISM_ENABLE_WASI_OUTPUT"); err != nil {
		return nil, err
	}
	m := &Module{limits: opts.Limits.withDefaults(), host: opts.Host, crash: new(crashOutput)}
	if len(wasm) <= smallModule {
		m.gc.hold()
	}
	if err := m.compile(ctx, wasm, opts); err != nil {
		m.gc.release()
		return nil, err
	}
	m.gc.hold()
	if err := m.instantiate(ctx); err != nil {
		return nil, errors.Join(err, m.Close(ctx))
	}
	return m, nil
}

// compileWith compiles with a cache, which is the module's from then on.
func (m *Module) compileWith(ctx context.Context, wasm []byte, operations []string, cache wazero.CompilationCache) error {
	pages := uint32((m.limits.Memory + pageSize - 1) / pageSize)
	config := wazero.NewRuntimeConfig().
		WithCloseOnContextDone(true).
		WithCompilationCache(cache)
	ctx = experimental.WithFunctionListenerFactory(ctx, garbageMeter{&m.gc})
	compiled, err := extism.NewCompiledPlugin(
		experimental.WithCompilationWorkers(ctx, compilationWorkers()),
		extism.Manifest{
			Wasm:   []extism.Wasm{extism.WasmData{Data: wasm}},
			Memory: &extism.ManifestMemory{MaxPages: pages, MaxHttpResponseBytes: 0, MaxVarBytes: -1},
		},
		extism.PluginConfig{RuntimeConfig: config, EnableWasi: true},
		m.hostFunctions(operations),
	)
	if err != nil {
		return err
	}
	m.compiled, m.cache = compiled, cache
	return nil
}

// instantiate runs the start section. What does not fit together is found here
// too, and is no crash.
func (m *Module) instantiate(ctx context.Context) error {
	err := m.guarded(ctx, func(ctx context.Context) error {
		plugin, err := m.compiled.Instance(ctx, extism.PluginInstanceConfig{
			ModuleConfig: wazero.NewModuleConfig().WithStderr(m.crash),
		})
		m.plugin = plugin
		return err
	})
	if e, ok := errors.AsType[*CrashError](err); ok && strings.HasPrefix(e.Reason, "import ") {
		return &LoadError{Reason: "it does not fit this stagecraft: " + e.Reason}
	}
	return err
}

// Call runs an export. After an error the module must be closed.
//
// # Errors
//
// A [*LimitError] says which bound was reached, a [*CrashError] how the module
// failed; when ctx is done the error is its cause.
func (m *Module) Call(ctx context.Context, export string, input []byte) (output []byte, err error) {
	if m.dead != nil {
		return nil, fmt.Errorf("the module can't be called again: %w", m.dead)
	}
	if !m.plugin.FunctionExists(export) {
		return nil, &LoadError{Reason: fmt.Sprintf("it has no function %q", export)}
	}
	err = m.guarded(ctx, func(ctx context.Context) error {
		_, out, err := m.plugin.CallWithContext(ctx, export, input)
		output = out
		return err
	})
	if err != nil {
		return nil, err
	}
	return output, nil
}

// Close frees the module. Closing twice, or after a module that could not be
// stopped, does nothing.
func (m *Module) Close(ctx context.Context) error {
	if m.compiled == nil || errors.Is(m.dead, errStuck) {
		return nil
	}
	compiled := m.compiled
	m.compiled = nil
	m.gc.release()
	if m.dead == nil {
		m.dead = errors.New("it is closed")
	}
	// Closing the runtime closes its instances.
	return errors.Join(compiled.Close(ctx), m.cache.Close(ctx))
}

// hostFunctions makes an import of each operation.
func (m *Module) hostFunctions(operations []string) []extism.HostFunction {
	functions := make([]extism.HostFunction, 0, len(operations))
	for _, operation := range slices.Sorted(slices.Values(operations)) {
		functions = append(functions, m.hostFunction(operation))
	}
	return functions
}
