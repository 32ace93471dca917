// Package sandboxtest runs the conformance suite of the SDK on Wasm modules.
package sandboxtest

import (
	"context"
	"os"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/guest-sdk/backendtest"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// InWasm opens the module in a file, for a [backendtest.Subject]. The module is
// compiled once. A description that the host refuses ends the test.
func InWasm(t *testing.T, file string) func(*testing.T, *backendtest.Host) backendtest.Exports {
	t.Helper()
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options := sandbox.Options{Operations: abi.Operations(), CacheDir: t.TempDir() + "/cache"}
	if err := sandbox.Compile(t.Context(), wasm, options); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, h *backendtest.Host) backendtest.Exports {
		options := options
		options.Host = h
		m, err := sandbox.Open(t.Context(), wasm, options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := m.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		if _, err := backend.NewGuest(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		return m
	}
}
