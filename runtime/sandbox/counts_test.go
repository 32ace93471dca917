package sandbox_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
)

// long is a section of any size.
func long(id byte, body string) string {
	return string(append([]byte{id}, binary.AppendUvarint(nil, uint64(len(body)))...)) + body
}

func uvarint(n int) string { return string(binary.AppendUvarint(nil, uint64(n))) }

// codeOf is a section of functions, each of which has its locals in one group.
func codeOf(locals ...int) string {
	body := uvarint(len(locals))
	for _, n := range locals {
		function := "\x01" + uvarint(n) + "\x7f\x41\x00\x0b"
		body += uvarint(len(function)) + function
	}
	return long(10, body)
}

// TestCounts has counts that take memory or time of whoever believes them.
func TestCounts(t *testing.T) {
	whole := exports(abi.Exports()...)
	for name, tt := range map[string]struct {
		module string
		want   string // of the error, empty for none
	}{
		"types":           {section(1, "\xff\xff\xff\xff\x0f"), "the module is damaged: it counts 4294967295 things in 0 bytes"},
		"functions":       {section(3, "\xff\xff\xff\xff\x0f\x00"), "the module is damaged: it counts 4294967295 things in 1 bytes"},
		"globals":         {section(6, "\x05\x7f\x00\x41"), "the module is damaged: it counts 5 things in 3 bytes"},
		"elements":        {section(9, "\xff\xff\x03"), "the module is damaged: it counts 65535 things in 0 bytes"},
		"data":            {section(11, "\xff\xff\x03"), "the module is damaged: it counts 65535 things in 0 bytes"},
		"functions' code": {section(10, "\xff\xff\x03"), "the module is damaged: it counts 65535 things in 0 bytes"},
		"parameters":      {long(1, "\x01\x60"+uvarint(1001)+strings.Repeat("\x7f", 1001)+"\x00"), "a function of it has 1001 parameters, at most 1000 are allowed"},
		"results":         {long(1, "\x01\x60\x00"+uvarint(1001)+strings.Repeat("\x7f", 1001)), "a function of it has 1001 results, at most 1000 are allowed"},
		"false types":     {section(1, "\x01\x60\xff\x07\x00"), "a function of it has 1023 parameters, at most 1000 are allowed"},
		"cut types":       {section(1, "\x01\x60\x05\x7f"), "the module is damaged: it ends too early"},
		"many parameters": {long(1, "\x01\x60"+uvarint(1000)+strings.Repeat("\x7f", 1000)+"\x00") + whole, ""},
		"locals":          {codeOf(50_001), "a function of it has 50001 locals, at most 50000 are allowed"},
		"all locals":      {codeOf(50_000, 50_000), "its functions have 100000 locals in all, at most 50029 are allowed in a module of 29 bytes"},
		"groups":          {section(10, "\x01\x06\x02\xff\xff\xff\xff\x0f"), "the module is damaged: it ends too early"},
		"groups of a lot": {long(10, "\x01\x0d\x02\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7f"), "a function of it has 8589934590 locals, at most 50000 are allowed"},
		"false groups":    {section(10, "\x01\x02\x05\x00"), "the module is damaged: it counts 5 things in 1 bytes"},
		"many locals":     {whole + codeOf(50_000), ""},
		"another type":    {section(1, "\x01\x5f\x00") + whole, ""},
	} {
		_, err := sandbox.Check([]byte(core+tt.module), abi.Operations())
		e, ok := errors.AsType[*sandbox.LoadError](err)
		if tt.want == "" && err != nil || tt.want != "" && (!ok || e.Reason != tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestCostlyCounts has whole modules of the kind.
func TestCostlyCounts(t *testing.T) {
	for _, tt := range []struct {
		module []byte
		want   string
	}{
		{guest(t, "locals-1m"), "a function of it has 1000000 locals, at most 50000 are allowed"},
		{guest(t, "locals-100m"), "a function of it has 100000000 locals, at most 50000 are allowed"},
		{provider("\x01\xff\xff\xff\xff\x0f\x7f\x41\x00\x0b"), "a function of it has 4294967295 locals, at most 50000 are allowed"},
	} {
		_, err := sandbox.Open(t.Context(), tt.module, sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations()})
		wantLoadError(t, err, tt.want)
	}
	// Names are not read, so that false ones do no harm.
	sound := provider("\x00\x41\x00\x0b")
	junk := core + section(0, "\x04name\x01\x05\xff\xff\xff\xff\x0f") + string(sound[len(core):])
	m, err := sandbox.Open(t.Context(), []byte(junk), sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if _, err := m.Call(t.Context(), abi.ExportDev, nil); err != nil {
		t.Error(err)
	}
}

// provider is a module that has a provider's exports, and functions that give a
// number, as many as there are bodies.
func provider(bodies ...string) []byte {
	functions := uvarint(len(bodies)) + strings.Repeat("\x00", len(bodies))
	var code strings.Builder
	code.WriteString(uvarint(len(bodies)))
	for _, body := range bodies {
		code.WriteString(uvarint(len(body)) + body)
	}
	return []byte(core + section(1, "\x01\x60\x00\x01\x7f") + long(3, functions) + exports(abi.Exports()...) + long(10, code.String()))
}

// TestLoadIsBounded has modules without false counts that take much to compile, or to
// interpret.
func TestLoadIsBounded(t *testing.T) {
	t.Parallel()
	const deep = 20_000
	loops := provider("\x00" + strings.Repeat("\x03\x40", deep) + strings.Repeat("\x0b", deep) + "\x41\x00\x0b")
	large := provider("\x00" + strings.Repeat("\x41\x00\x1a", 2<<20) + "\x41\x00\x0b")
	larger := provider("\x00" + strings.Repeat("\x41\x00\x1a", 8<<20) + "\x41\x00\x0b")
	interpret := func(module []byte, options sandbox.Options) error {
		_, err := sandbox.Open(t.Context(), module, options)
		return err
	}
	compile := func(module []byte, options sandbox.Options) error {
		options.CacheDir = filepath.Join(t.TempDir(), "cache")
		return sandbox.Compile(t.Context(), module, options)
	}
	for name, tt := range map[string]struct {
		load   func(module []byte, options sandbox.Options) error
		module []byte
		limits sandbox.Limits
		want   string
	}{
		"time to compile":   {compile, loops, sandbox.Limits{Load: 200 * time.Millisecond}, "processor time for loading is limited to 200ms"},
		"time to interpret": {interpret, large, sandbox.Limits{Load: 20 * time.Millisecond}, "processor time for loading is limited to 20ms"},
		// With cgo each thread has a stack of 8 MiB, and a few must find room.
		"memory to compile":   {compile, large, sandbox.Limits{LoadMemory: 256 << 20, Memory: 1 << 20}, "memory for loading is limited to 256 MiB"},
		"memory to interpret": {interpret, larger, sandbox.Limits{LoadMemory: 256 << 20, Memory: 1 << 20}, "memory for loading is limited to 256 MiB"},
	} {
		if strings.HasPrefix(name, "memory") && !boundsSpace {
			continue
		}
		err := tt.load(tt.module, sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations(), Limits: tt.limits})
		if e, ok := errors.AsType[*sandbox.LimitError](err); !ok || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestLargeModule has modules of the largest size and one that is larger.
func TestLargeModule(t *testing.T) {
	const most = 64 << 20
	small := provider("\x00\x41\x00\x0b")
	fill := func(size int) []byte {
		// A custom section with the size in 4 bytes.
		rest := size - len(small) - 5
		head := append([]byte{0}, binary.AppendUvarint(nil, uint64(rest))...)
		return append(append(bytes.Clone(small), head...), make([]byte, rest)...)
	}
	m, err := sandbox.Open(t.Context(), fill(most), sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations()})
	if err != nil {
		t.Fatal(err)
	}
	must(t, m.Close(t.Context()))
	_, err = sandbox.Open(t.Context(), fill(most+1), sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations()})
	wantLoadError(t, err, "it has 67108865 bytes, at most 67108864 are allowed")

	// Functions in all of it take longer than there is time.
	full := provider("\x00" + strings.Repeat("\x41\x00\x1a", (most-200)/3) + "\x41\x00\x0b")
	_, err = sandbox.Open(t.Context(), full, sandbox.Options{Helper: sandbox.TestHelper, Operations: abi.Operations(), Limits: sandbox.Limits{Load: time.Second}})
	if _, ok := errors.AsType[*sandbox.LimitError](err); !ok {
		t.Errorf("got %v, want a limit", err)
	}
}
