package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// module is a module and what becomes of it. It is never closed: it ends with the
// process.
type module struct {
	bytes    []byte
	pages    uint32
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	instance api.Module
	kernel   kernel
	begun    bool // its language's runtime is ready
}

// compileWith compiles with a cache, which is the module's from then on. Nothing
// stops a module but the end of the process, so its code has no checks for that.
func (w *worker) compileWith(cache wazero.CompilationCache) error {
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	m := w.module
	m.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache).WithMemoryLimitPages(m.pages))
	m.kernel = kernel{stop: w.stop, log: w.output.line}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err != nil {
		return err
	}
	if err := m.kernel.instantiate(ctx, m.runtime); err != nil {
		return err
	}
	if err := w.offer(ctx); err != nil {
		return err
	}
	compiled, err := m.runtime.CompileModule(ctx, m.bytes)
	if err != nil {
		return err
	}
	m.compiled = compiled
	return nil
}

// instantiate runs the start section. What does not fit together is found here
// too, and is not a crash.
func (w *worker) instantiate() error {
	// The functions by which a language's runtime begins run before the first call.
	config := wazero.NewModuleConfig().WithName("main").WithStartFunctions().WithStdout(w.output).WithStderr(w.output)
	instance, err := w.module.runtime.InstantiateModule(context.Background(), w.module.compiled, config)
	switch {
	case w.stopped != nil:
		return w.stopped
	case err != nil:
		reason := crashReason(err)
		if strings.HasPrefix(reason, "import ") {
			return &loadError{"it does not fit this stagecraft: " + reason}
		}
		return &crashError{reason}
	}
	w.module.instance = instance
	return nil
}

// call runs an export. After an error the module must not be used.
func (w *worker) call(export string, input []byte) ([]byte, error) {
	output, err := w.module.call(context.Background(), export, input)
	switch {
	case w.stopped != nil:
		return nil, w.stopped
	case err != nil:
		return nil, &crashError{crashReason(err)}
	case len(output) > frame.MaxOutput:
		return nil, &crashError{fmt.Sprintf("its output has %d bytes, at most %d are allowed", len(output), frame.MaxOutput)}
	}
	return output, nil
}

func (m *module) call(ctx context.Context, export string, input []byte) ([]byte, error) {
	if m.instance.IsClosed() {
		return nil, errors.New("it ended itself in an earlier call")
	}
	f := m.instance.ExportedFunction(export)
	if f == nil {
		return nil, fmt.Errorf("it has no function %q", export)
	}
	if types := f.Definition(); len(types.ParamTypes()) > 0 || len(types.ResultTypes()) > 1 {
		return nil, fmt.Errorf("its function %q has another type than a plug-in's", export)
	}
	if err := m.kernel.begin(ctx, input); err != nil {
		return nil, err
	}
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	_, err := f.Call(ctx)
	if exit, ok := errors.AsType[*sys.ExitError](err); ok && exit.ExitCode() == 0 {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return m.kernel.end(ctx)
}

// begin has the runtime of the module's language made ready, once: that of Haskell,
// that of a library of WASI's, or the constructors of C.
func (m *module) begin(ctx context.Context) error {
	if m.begun {
		return nil
	}
	m.begun = true
	haskell := m.instance.ExportedFunction("hs_init")
	for _, name := range []string{"_initialize", "__wasm_call_ctors"} {
		f := m.instance.ExportedFunction(name)
		if f == nil || len(f.Definition().ParamTypes()) > 0 || haskell != nil && name != "_initialize" {
			continue
		}
		if _, err := f.Call(ctx); err != nil {
			return fmt.Errorf("failed to initialize runtime: %w", err)
		}
		break
	}
	if haskell == nil {
		return nil
	}
	_, err := haskell.Call(ctx, 0, 0)
	return err
}

// crashReason says in a line why a module ended, without a trace.
func crashReason(err error) string {
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return "it ended itself with status " + strconv.Itoa(int(exit.ExitCode()))
	}
	return strings.TrimPrefix(firstLine(err), "wasm error: ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	line, _, _ = strings.Cut(line, " (recovered by wazero)")
	return termtext.Line(line, 300)
}
