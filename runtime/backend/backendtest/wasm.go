package backendtest

import (
	"context"
	"os"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// InWasm opens the module in a file, for a [Subject]. It is compiled once.
func InWasm(t *testing.T, file string) func(*testing.T, *Host) backend.Exports {
	t.Helper()
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir() + "/cache"
	return func(t *testing.T, h *Host) backend.Exports {
		m, err := sandbox.Open(t.Context(), wasm, sandbox.Options{Operations: abi.Operations(), Host: h, CacheDir: cache})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := m.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return m
	}
}
