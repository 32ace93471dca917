package sandbox

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/runtime/plaintext"
)

// The binary format: https://www.w3.org/TR/wasm-core-2/#binary-format
const (
	magic           = "\x00asm\x01\x00\x00\x00"
	componentMagic  = "\x00asm\x0d\x00\x01\x00"
	sectionImport   = 2
	sectionTable    = 4
	sectionExport   = 7
	kindFunction    = 0
	kindTable       = 1
	kindMemory      = 2
	kindGlobal      = 3
	kindFuncref     = 0x70
	kindExternref   = 0x6f
	limitsHaveMax   = 1
	limitsAreShared = 3
)

// Inspect reads which functions a module imports and exports, without
// compiling or running it.
//
// # Errors
//
// A [*LoadError] says why the bytes are no module. A module that passes can
// still be refused by [Open].
func Inspect(wasm []byte) (Info, error) {
	switch {
	case len(wasm) == 0:
		return Info{}, &LoadError{Reason: "it is empty"}
	case bytes.HasPrefix(wasm, []byte(componentMagic)):
		return Info{}, &LoadError{Reason: "it is a WebAssembly component; a provider is a core module, an Extism plug-in"}
	case !bytes.HasPrefix(wasm, []byte(magic)):
		return Info{}, &LoadError{Reason: "it is no WebAssembly module"}
	}
	var info Info
	r := reader{data: wasm[len(magic):]}
	for len(r.data) > 0 && r.err == nil {
		id := r.byte()
		section := reader{data: r.take(r.u32())}
		if r.err != nil {
			break
		}
		switch id {
		case sectionImport:
			info.Imports = section.imports()
		case sectionExport:
			info.Exports = section.exports()
		}
		r.err = section.err
	}
	if r.err != nil {
		return Info{}, &LoadError{Reason: r.err.Error()}
	}
	return info, nil
}

// reader takes values off the front of data; after the first error it gives
// zeros.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("the module is damaged: %s", what)
	}
	r.data = nil
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)) {
		r.fail("it ends too early")
		return nil
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// u32 reads an unsigned LEB128.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail("a number is too long")
	return 0
}

func (r *reader) name() string {
	b := r.take(r.u32())
	if !utf8.Valid(b) {
		r.fail("a name is no UTF-8")
		return ""
	}
	return plaintext.Line(string(b), 200)
}

func (r *reader) imports() []Import {
	var imports []Import
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		imp := Import{Module: r.name(), Name: r.name()}
		switch kind := r.byte(); kind {
		case kindFunction:
			r.u32()
		default:
			r.importType(kind)
		}
		imports = append(imports, imp)
	}
	return imports
}

// importType skips the type of a table, memory or global.
func (r *reader) importType(kind byte) {
	switch kind {
	case kindTable:
		r.byte()
		r.limits()
	case kindMemory:
		r.limits()
	case kindGlobal:
		r.take(2)
	default:
		r.fail("an import is of an unknown kind")
	}
}

func (r *reader) limits() {
	flags := r.byte()
	if flags > limitsAreShared {
		r.fail("limits are of an unknown kind")
	}
	r.u32()
	if flags&limitsHaveMax != 0 {
		r.u32()
	}
}

func (r *reader) exports() []string {
	var exports []string
	for n := r.u32(); n > 0 && r.err == nil; n-- {
		name, kind := r.name(), r.byte()
		r.u32()
		if kind == kindFunction {
			exports = append(exports, name)
		}
	}
	return exports
}
