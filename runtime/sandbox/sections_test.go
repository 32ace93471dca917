package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

func TestInspect(t *testing.T) {
	info, err := sandbox.Inspect(guest(t, "exec"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(info.Imports, sandbox.Import{Module: "extism:host/user", Name: "stagecraft_exec"}) {
		t.Errorf("imports: %v", info.Imports)
	}
	if got := info.Operations(); !slices.Equal(got, []string{"exec"}) {
		t.Errorf("operations: %v", got)
	}
	if want := []string{"describe", "validate", "build_docker", "dev"}; !slices.Equal(info.Exports, want) {
		t.Errorf("exports: %v, want %v", info.Exports, want)
	}
}

func TestInspectNoModule(t *testing.T) {
	whole := guest(t, "exec")
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"empty":     {nil, "it is empty"},
		"text":      {[]byte("#!/bin/sh\n"), "it is no WebAssembly module"},
		"component": {[]byte("\x00asm\x0d\x00\x01\x00"), "it is a WebAssembly component; a provider is a core module, an Extism plug-in"},
		"truncated": {whole[:len(whole)/2], "the module is damaged: it ends too early"},
		"long size": {[]byte("\x00asm\x01\x00\x00\x00\x02\xff\xff\xff\xff\xff\xff"), "the module is damaged: a number is too long"},
		"name":      {[]byte("\x00asm\x01\x00\x00\x00\x02\x05\x01\x01\xff\x01a"), "the module is damaged: a name is no UTF-8"},
		"kind":      {[]byte("\x00asm\x01\x00\x00\x00\x02\x06\x01\x01a\x01b\x09"), "the module is damaged: an import is of an unknown kind"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sandbox.Inspect(tt.data)
			if e, ok := errors.AsType[*sandbox.LoadError](err); !ok || e.Reason != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzInspect wants an answer, and never more names than bytes.
func FuzzInspect(f *testing.F) {
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := sandbox.Inspect(data)
		if _, ok := errors.AsType[*sandbox.LoadError](err); err != nil && !ok {
			t.Errorf("an error of another kind: %v", err)
		}
		if len(info.Imports)+len(info.Exports) > len(data) {
			t.Errorf("%d names in %d bytes", len(info.Imports)+len(info.Exports), len(data))
		}
	})
}
