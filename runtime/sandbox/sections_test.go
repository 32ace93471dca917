package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
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
		"empty":      {nil, "it is empty"},
		"text":       {[]byte("#!/bin/sh\n"), "not a WebAssembly module"},
		"component":  {[]byte("\x00asm\x0d\x00\x01\x00"), "it is a WebAssembly component; a provider is a core module, an Extism plug-in"},
		"truncated":  {whole[:len(whole)/2], "the module is damaged: it ends too early"},
		"long size":  {[]byte("\x00asm\x01\x00\x00\x00\x02\xff\xff\xff\xff\xff\xff"), "the module is damaged: a number is too long"},
		"cut magic":  {[]byte("\x00asm\x01"), "the module is damaged: it ends too early"},
		"version":    {[]byte("\x00asm\x02\x00\x00\x00"), "it is WebAssembly of an unknown version, expected version 1"},
		"layer":      {[]byte("\x00asm\x0e\x00\x01\x00"), "it is a WebAssembly component; a provider is a core module, an Extism plug-in"},
		"half magic": {[]byte("\x00asm\x0d\x00"), "it is WebAssembly of an unknown version, expected version 1"},
		"twice":      {[]byte(core + "\x02\x01\x00\x02\x01\x00"), "the module is damaged: duplicate or misplaced section"},
		"order":      {[]byte(core + "\x07\x01\x00\x02\x01\x00"), "the module is damaged: duplicate or misplaced section"},
		"section":    {[]byte(core + "\x0e\x00"), "the module is damaged: unknown kind of section"},
		"more in it": {[]byte(core + "\x02\x02\x00\x00"), "the module is damaged: a section is longer than its contents"},
		"count":      {[]byte(core + "\x02\x03\xff\xff\x01"), "the module is damaged: it ends too early"},
		"counts":     {[]byte(core + "\x07\x05\xff\xff\xff\xff\x0f"), "the module is damaged: it has too many imports or exports"},
		"name":       {[]byte("\x00asm\x01\x00\x00\x00\x02\x05\x01\x01\xff\x01a"), "the module is damaged: a name is not UTF-8"},
		"kind":       {[]byte("\x00asm\x01\x00\x00\x00\x02\x06\x01\x01a\x01b\x09"), "the module is damaged: unknown kind of import"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sandbox.Inspect(tt.data)
			if e, ok := errors.AsType[*sandbox.LoadError](err); !ok || e.Reason != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

const core = "\x00asm\x01\x00\x00\x00"

// imports is a section that imports things of a type that is no function's, or
// of the first function type.
func imports(module, name string, kind ...byte) string {
	return section(2, "\x01"+text(module)+text(name)+string(kind))
}

// exports is a section that exports functions.
func exports(names ...string) string {
	body := string(rune(len(names)))
	for _, name := range names {
		body += text(name) + "\x00\x00"
	}
	return section(7, body)
}

func section(id byte, body string) string { return string([]byte{id, byte(len(body))}) + body }

func text(s string) string { return string([]byte{byte(len(s))}) + s }

// TestCheck expects refusals before a module is compiled: none of these could be.
func TestCheck(t *testing.T) {
	whole := exports("describe", "validate", "dev", "build_docker")
	for name, tt := range map[string]struct {
		module string
		want   string // of the error, empty for none
		says   string // of its imports, where there is no error
	}{
		"nothing imported":   {whole, "", ""},
		"custom sections":    {section(0, "\x04name\xff\xff") + whole + section(0, "\x01x"), "", ""},
		"an operation":       {imports("extism:host/user", "stagecraft_exec", 0, 0) + whole, "", "exec"},
		"the kernel":         {imports("extism:host/env", "alloc", 0, 0) + whole, "", ""},
		"WASI":               {imports("wasi_snapshot_preview1", "fd_write", 0, 0) + whole, "", ""},
		"a later operation":  {imports("extism:host/user", "stagecraft_fly", 0, 0) + whole, "it imports extism:host/user stagecraft_fly, which", ""},
		"another namespace":  {imports("env", "alloc", 0, 0) + whole, "it imports env alloc, which", ""},
		"a Cyrillic letter":  {imports("\u0435xtism:host/env", "alloc", 0, 0) + whole, "it imports <U+0435>xtism:host/env alloc, which", ""},
		"WASI before that":   {imports("wasi_unstable", "fd_write", 0, 0) + whole, "it imports wasi_unstable fd_write, which", ""},
		"HTTP":               {imports("extism:host/env", "http_request", 0, 0) + whole, "it imports extism:host/env http_request, which", ""},
		"a memory":           {imports("extism:host/env", "alloc", 2, 0, 1) + whole, "it imports the memory extism:host/env alloc, which", ""},
		"a table":            {imports("extism:host/env", "alloc", 1, 0x70, 0, 1) + whole, "it imports the table extism:host/env alloc, which", ""},
		"a global":           {imports("extism:host/user", "stagecraft_exec", 3, 0x7f, 0) + whole, "it imports the global extism:host/user stagecraft_exec", ""},
		"an invisible sign":  {imports("extism:host/user", "stagecraft_\u200bexec", 0, 0) + whole, "it imports extism:host/user stagecraft_exec, which", ""},
		"no exports":         {"", `it has no function "build_docker"`, ""},
		"one missing":        {exports("describe", "validate", "build_docker"), `it has no function "dev"`, ""},
		"a shapeless export": {exports("describe", "validate", "de\u200bv", "build_docker"), `it has no function "dev"`, ""},
		"a memory for it":    {section(7, "\x01"+text("dev")+"\x02\x00"), `it has no function "build_docker"`, ""},
		"a command":          {exports("_start", "describe", "validate", "dev", "build_docker"), "it is built as a command (it exports _start and no _initialize)", ""},
		"a bare command":     {exports("_start"), "it is built as a command", ""},
		"both":               {exports("_start", "_initialize", "describe", "validate", "dev", "build_docker"), "", ""},
	} {
		info, err := sandbox.Check([]byte(core+tt.module), abi.Operations())
		e, ok := errors.AsType[*sandbox.LoadError](err)
		switch {
		case tt.want == "" && (err != nil || strings.Join(info.Operations(), " ") != tt.says):
			t.Errorf("%s: %v, operations %q", name, err, info.Operations())
		case tt.want != "" && (!ok || !strings.HasPrefix(e.Reason, tt.want)):
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// FuzzInspect expects an answer, and no more names than bytes.
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
		size := len(info.Imports) + len(info.Exports)
		for _, imp := range info.Imports {
			size += len(imp.Module) + len(imp.Name)
		}
		for _, export := range info.Exports {
			size += len(export)
		}
		if size > len(data) {
			t.Errorf("names of %d bytes in %d", size, len(data))
		}
		if _, err := sandbox.Check(data, nil); err == nil && len(info.Exports) < len(abi.Exports()) {
			t.Errorf("a provider with the exports %q", info.Exports)
		}
	})
}
