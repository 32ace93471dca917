package sandbox

import (
	"context"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// TestWasiFunctions compares the list with the functions that wazero offers.
func TestWasiFunctions(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	compiled, err := wasi_snapshot_preview1.NewBuilder(r).Compile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var offered []string
	for name := range compiled.ExportedFunctions() {
		offered = append(offered, name)
	}
	slices.Sort(offered)
	if !slices.Equal(offered, wasiFunctions) {
		t.Errorf("wazero has %v", offered)
	}
}
