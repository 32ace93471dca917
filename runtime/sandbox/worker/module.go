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

// module is the module in its stages. It is never closed, since it ends with the process.
type module struct {
	bytes     []byte
	pages     uint32
	functions []extism.HostFunction
	compiled  *extism.CompiledPlugin
	plugin    *extism.Plugin
}

// prepare prepares the module for an engine. The code has no checks for a cancelled
// context, since the host ends a module by its process.
func (m *module) prepare(engine wazero.RuntimeConfig) error {
	compiled, err := extism.NewCompiledPlugin(
		experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0)),
		extism.Manifest{
			Wasm:   []extism.Wasm{extism.WasmData{Data: m.bytes}},
			Memory: &extism.ManifestMemory{MaxPages: m.pages, MaxHttpResponseBytes: 0, MaxVarBytes: -1},
		},
		extism.PluginConfig{
			RuntimeConfig: engine.WithMemoryCapacityFromMax(true),
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

// instantiate links the module and runs its start section. Imports of another type than
// the host offers are found here, and are not a crash.
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

// call runs an export. After an error the module cannot be called again.
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

// crashReason returns the reason why a module ended, in one line without a trace.
func crashReason(err error) string {
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		return "it ended itself with status " + strconv.Itoa(int(exit.ExitCode()))
	}
	line := strings.TrimPrefix(firstLine(err), "instantiating module: ")
	if strings.Contains(line, "`plugin` key not found") {
		// A host call in the start section, where Extism has no plug-in yet.
		return "it called the host in its start section"
	}
	return strings.TrimPrefix(line, "wasm error: ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	line, _, _ = strings.Cut(line, " (recovered by wazero)")
	return termtext.Line(line, 300)
}
