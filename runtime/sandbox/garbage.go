package sandbox

import (
	"context"
	"slices"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// What a call out of the module leaves to be collected, in bytes and rounded up:
// nothing else collects it while the module computes, and a module can make
// millions of such calls.
const (
	operationGarbage = 32 << 10 // JSON, a claim, a decision, a record
	kernelGarbage    = 6 << 10  // Extism makes a new stack for each
	wasiGarbage      = 512
)

// cheapFunctions of Extism's leave nothing. Its PDKs copy all their bytes by
// these.
var cheapFunctions = []string{"input_load_u64", "load_u64", "store_u64"}

// garbageMeter is told of each call out of the module that is no operation.
type garbageMeter struct{ gc *gcLease }

// NewFunctionListener implements [experimental.FunctionListenerFactory].
func (g garbageMeter) NewFunctionListener(f api.FunctionDefinition) experimental.FunctionListener {
	switch {
	case f.ModuleName() == wasiModule:
		return garbageCounter{g.gc, wasiGarbage}
	case f.ModuleName() == kernelModule && !slices.Contains(cheapFunctions, f.Name()):
		return garbageCounter{g.gc, kernelGarbage}
	}
	return nil
}

// garbageCounter counts the calls of one function. It is called in Go, where a
// collection stops nobody for long.
type garbageCounter struct {
	gc    *gcLease
	bytes int
}

// Before implements [experimental.FunctionListener].
func (c garbageCounter) Before(context.Context, api.Module, api.FunctionDefinition, []uint64, experimental.StackIterator) {
	c.gc.left(c.bytes)
}

// After implements [experimental.FunctionListener].
func (garbageCounter) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort implements [experimental.FunctionListener].
func (garbageCounter) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
