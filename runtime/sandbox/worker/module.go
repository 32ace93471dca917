package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// module is a module and what becomes of it. It is never closed: it ends with the
// process.
type module struct {
	bytes     []byte
	pages     uint32
	functions []extism.HostFunction
	compiled  *extism.CompiledPlugin
	plugin    *extism.Plugin
}

// prepare has an engine prepare the module. Nothing stops a module but the end of the
// process, so its code has no checks for that.
func (m *module) prepare(engine wazero.RuntimeConfig) error {
	compiled, err := extism.NewCompiledPlugin(
		experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0)),
		extism.Manifest{
			Wasm:   []extism.Wasm{extism.WasmData{Data: m.bytes}},
			Memory: &extism.ManifestMemory{MaxPages: m.pages, MaxHttpResponseBytes: 0, MaxVarBytes: -1},
		},
		extism.PluginConfig{
			RuntimeConfig: engine,
			EnableWasi:    true,
		},
		m.functions,
	)
	if err != nil {
		return err
	}
	m.compiled = compiled
	return nil
}

// instantiate runs the start section. What does not fit together is found here
// too, and is not a crash.
func (w *worker) instantiate() error {
	extism.SetLogLevel(extism.LogLevelInfo)
	plugin, err := w.module.compiled.Instance(context.Background(), extism.PluginInstanceConfig{
		ModuleConfig: wazero.NewModuleConfig().WithStdout(w.output).WithStderr(w.output),
	})
	if err != nil {
		reason := crashReason(err)
		if strings.HasPrefix(reason, "import ") {
			return &loadError{"it does not fit this stagecraft: " + reason}
		}
		return w.crash(reason)
	}
	plugin.SetLogger(func(_ extism.LogLevel, message string) { w.output.line(message) })
	w.module.plugin = plugin
	return nil
}

// call runs an export. After an error the module must not be used.
func (w *worker) call(export string, input []byte) ([]byte, error) {
	_, output, err := w.module.plugin.CallWithContext(context.Background(), export, input)
	switch {
	case w.stopped != nil:
		return nil, w.stopped
	case err != nil:
		return nil, w.crash(crashReason(err))
	case len(output) > frame.MaxOutput:
		return nil, &crashError{fmt.Sprintf("its output has %d bytes, at most %d are allowed", len(output), frame.MaxOutput)}
	}
	return output, nil
}

func (w *worker) crash(reason string) error {
	if !w.compiled && reason == "stack overflow" {
		return errOutgrown
	}
	return &crashError{reason}
}

// crashReason says in a line why a module ended, without a trace.
func crashReason(err error) string {
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return "it ended itself with status " + strconv.Itoa(int(exit.ExitCode()))
	}
	line := strings.TrimPrefix(firstLine(err), "instantiating module: ")
	if strings.Contains(line, "`plugin` key not found") {
		// Extism's word for it.
		return "it asked for something while it was being loaded"
	}
	return strings.TrimPrefix(line, "wasm error: ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	line, _, _ = strings.Cut(line, " (recovered by wazero)")
	return termtext.Line(line, 300)
}
