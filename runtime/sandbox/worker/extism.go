package worker

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// kernelWasm is Extism's kernel 1.7.0, from github.com/extism/go-sdk: a module that
// has the blocks of memory by which a plug-in and its host exchange bytes.
// extism-runtime.LICENSE is its licence.
//
//go:embed extism-runtime.wasm
var kernelWasm []byte

// The modules that a plug-in of Extism's imports from.
const (
	kernelNamespace = "extism:host/env"
	hostNamespace   = "extism:host/user"
)

// maxVars is how many bytes the variables of a plug-in may have, with their names.
const maxVars = 1 << 20

// kernel is what a plug-in calls Extism: https://extism.org/docs/concepts/pdk.
// The kernel's functions are called with the numbers that the plug-in hands over.
type kernel struct {
	module    api.Module
	functions map[string]api.Function
	vars      map[string][]byte
	input     uint64 // the offset of the call's input
	called    bool   // the plug-in has been called, and may ask for something
	stop      func(error)
	log       func(string)
}

// passed are the kernel's functions that a plug-in calls as they are.
var passed = map[string]struct{ params, results []api.ValueType }{
	"alloc":         {one(i64), one(i64)},
	"free":          {one(i64), nil},
	"load_u8":       {one(i64), one(i32)},
	"input_load_u8": {one(i64), one(i32)},
	"store_u8":      {[]api.ValueType{i64, i32}, nil},
	"input_set":     {[]api.ValueType{i64, i64}, nil},
	"output_set":    {[]api.ValueType{i64, i64}, nil},
	"input_length":  {nil, one(i64)},
	"input_offset":  {nil, one(i64)},
	"output_length": {nil, one(i64)},
	"output_offset": {nil, one(i64)},
	"length":        {one(i64), one(i64)},
	"length_unsafe": {one(i64), one(i64)},
	"reset":         {nil, nil},
	"error_set":     {one(i64), nil},
	"error_get":     {nil, one(i64)},
	"memory_bytes":  {nil, one(i64)},
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

func one(t api.ValueType) []api.ValueType { return []api.ValueType{t} }

// instantiate makes the module that a plug-in imports from.
func (k *kernel) instantiate(ctx context.Context, runtime wazero.Runtime) error {
	compiled, err := runtime.CompileModule(ctx, kernelWasm)
	if err != nil {
		return fmt.Errorf("instantiating extism module: %w", err)
	}
	// It has no name: the plug-in calls it through the host.
	if k.module, err = runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("")); err != nil {
		return fmt.Errorf("instantiating extism module: %w", err)
	}
	k.functions, k.vars = make(map[string]api.Function), make(map[string][]byte)
	env := runtime.NewHostModuleBuilder(kernelNamespace)
	export := func(name string, params, results []api.ValueType, f func(ctx context.Context, stack []uint64)) {
		env.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
			k.mustBeCalled()
			f(ctx, stack)
		}), params, results).Export(name)
	}
	for name, t := range passed {
		f := k.module.ExportedFunction(name)
		k.functions[name] = f
		export(name, t.params, t.results, func(ctx context.Context, stack []uint64) {
			if err := f.CallWithStack(ctx, stack); err != nil {
				panic(err)
			}
		})
	}
	// A plug-in copies all its bytes by these, so they are not the kernel's own.
	export("load_u64", one(i64), one(i64), func(_ context.Context, stack []uint64) { stack[0] = k.load(stack[0]) })
	export("input_load_u64", one(i64), one(i64), func(_ context.Context, stack []uint64) { stack[0] = k.load(stack[0] + k.input) })
	export("store_u64", []api.ValueType{i64, i64}, nil, func(_ context.Context, stack []uint64) {
		if !k.module.Memory().WriteUint64Le(uint32(stack[0]), stack[1]) {
			panic(fmt.Errorf("there is no memory of Extism's at offset %d", stack[0]))
		}
	})
	// There is no configuration.
	export("config_get", one(i64), one(i64), func(_ context.Context, stack []uint64) { stack[0] = 0 })
	export("var_get", one(i64), one(i64), func(ctx context.Context, stack []uint64) { stack[0] = k.varGet(ctx, stack[0]) })
	export("var_set", []api.ValueType{i64, i64}, nil, func(ctx context.Context, stack []uint64) { k.varSet(ctx, stack[0], stack[1]) })
	export("get_log_level", nil, one(i32), func(_ context.Context, stack []uint64) { stack[0] = logInfo })
	for level, name := range []string{"log_trace", "log_debug", "log_info", "log_warn", "log_error"} {
		export(name, one(i64), nil, func(ctx context.Context, stack []uint64) {
			if level >= logInfo {
				k.log(string(k.read(ctx, stack[0])))
			}
			k.free(ctx, stack[0])
		})
	}
	_, err = env.Instantiate(ctx)
	return err
}

// logInfo is the level from which on a plug-in's log is shown.
const logInfo = 2

// mustBeCalled stops a plug-in that asks for something in its start section.
func (k *kernel) mustBeCalled() {
	if !k.called {
		k.stop(&crashError{"it asked for something while it was being loaded"})
	}
}

func (k *kernel) load(offset uint64) uint64 {
	value, ok := k.module.Memory().ReadUint64Le(uint32(offset))
	if !ok {
		panic(fmt.Errorf("there is no memory of Extism's at offset %d", offset))
	}
	return value
}

// call calls a function of the kernel.
func (k *kernel) call(ctx context.Context, name string, args ...uint64) (uint64, error) {
	results, err := k.functions[name].Call(ctx, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

func (k *kernel) free(ctx context.Context, offset uint64) { _, _ = k.call(ctx, "free", offset) }

// length is how many bytes the block at an offset has, 0 if there is none.
func (k *kernel) length(ctx context.Context, offset uint64) (uint64, error) {
	return k.call(ctx, "length", offset)
}

// view is a part of the kernel's memory, which the plug-in can change.
func (k *kernel) view(offset, length uint64) (view []byte, ok bool) {
	if offset > 1<<32-1 || length > 1<<32-1 {
		return nil, false
	}
	return k.module.Memory().Read(uint32(offset), uint32(length))
}

// read copies a block that a plug-in hands over.
func (k *kernel) read(ctx context.Context, offset uint64) []byte {
	length, err := k.length(ctx, offset)
	if err != nil {
		panic(err)
	}
	view, ok := k.view(offset, length)
	if !ok {
		panic(fmt.Errorf("there is no memory of Extism's at offset %d", offset))
	}
	return append([]byte(nil), view...)
}

// write gives bytes a new block, whose offset is 0 if no memory is left.
func (k *kernel) write(ctx context.Context, data []byte) (offset uint64, err error) {
	offset, err = k.call(ctx, "alloc", uint64(len(data)))
	if err != nil || offset == 0 {
		return 0, err
	}
	if view, ok := k.view(offset, uint64(len(data))); !ok || copy(view, data) != len(data) {
		return 0, errors.New("Extism's memory has no such block")
	}
	return offset, nil
}

func (k *kernel) varGet(ctx context.Context, name uint64) uint64 {
	value, ok := k.vars[string(k.read(ctx, name))]
	k.free(ctx, name)
	if !ok {
		return 0
	}
	offset, err := k.write(ctx, value)
	if err != nil {
		panic(err)
	}
	return offset
}

func (k *kernel) varSet(ctx context.Context, name, value uint64) {
	key := string(k.read(ctx, name))
	k.free(ctx, name)
	delete(k.vars, key)
	if value == 0 {
		return
	}
	data := k.read(ctx, value)
	k.free(ctx, value)
	const each = 40 // what a variable takes besides its bytes
	size := each + len(key) + len(data)
	for k, v := range k.vars {
		size += each + len(k) + len(v)
	}
	if size >= maxVars {
		panic(errors.New("the variables are full"))
	}
	k.vars[key] = data
}

// begin gives the kernel the input of a call.
func (k *kernel) begin(ctx context.Context, input []byte) error {
	if _, err := k.call(ctx, "reset"); err != nil {
		return err
	}
	offset, err := k.write(ctx, input)
	if err != nil {
		return err
	}
	k.input, k.called = offset, true
	_, err = k.call(ctx, "input_set", offset, uint64(len(input)))
	return err
}

// end gives the output of a call, or the error that the plug-in set.
func (k *kernel) end(ctx context.Context) (output []byte, err error) {
	if at, err := k.call(ctx, "error_get"); err == nil && at != 0 {
		return nil, errors.New(string(k.read(ctx, at)))
	}
	offset, err := k.call(ctx, "output_offset")
	if err != nil {
		return nil, err
	}
	length, err := k.call(ctx, "output_length")
	if err != nil {
		return nil, err
	}
	view, _ := k.view(offset, length)
	return view, nil
}
