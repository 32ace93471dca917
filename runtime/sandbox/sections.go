package sandbox

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// The binary format: https://www.w3.org/TR/wasm-core-2/#binary-format
const (
	magic            = "\x00asm\x01\x00\x00\x00"
	componentLayer   = 1 // in place of a core module's 0, after a version of 16 bits
	sectionCustom    = 0
	sectionType      = 1
	sectionImport    = 2
	sectionTable     = 4
	sectionExport    = 7
	sectionStart     = 8
	sectionCode      = 10
	sectionData      = 11
	sectionDataCount = 12
	kindFunction     = 0
	kindTable        = 1
	kindMemory       = 2
	kindGlobal       = 3
	kindFuncref      = 0x70
	kindExternref    = 0x6f
	limitsHaveMax    = 1
	limitsAreShared  = 3
)

// maxNames bounds the imports, and the exports, of a module. The largest modules of
// compilers have some thousands.
const maxNames = 100_000

// Inspect reads the imports and the exported functions of a module, without compiling or
// running it. Its cost is proportional to the number of bytes.
//
// # Errors
//
// A [*LoadError] says why the bytes are not a module. [Check] and [Open] refuse more.
func Inspect(wasm []byte) (Info, error) {
	if err := checkHeader(wasm); err != nil {
		return Info{}, err
	}
	var info Info
	r := reader{data: wasm[len(magic):]}
	for last := 0; len(r.data) > 0 && r.err == nil; {
		id := r.byte()
		section := reader{data: r.take(r.u32())}
		if last = r.order(id, last); r.err != nil {
			break
		}
		switch id {
		case sectionImport:
			info.Imports = section.imports()
		case sectionExport:
			info.Exports = section.exports()
		case sectionType:
			section.types()
		case sectionCode:
			section.bodies(len(wasm))
		case sectionCustom, sectionStart, sectionDataCount:
			continue
		default:
			section.count()
			r.err = section.err
			continue
		}
		if len(section.data) > 0 {
			section.fail("a section is longer than its contents")
		}
		r.err = section.err
	}
	if r.err != nil {
		return Info{}, &LoadError{Reason: r.err.Error()}
	}
	return info, nil
}

// checkHeader checks the first 8 bytes of a core module.
func checkHeader(wasm []byte) error {
	switch {
	case len(wasm) == 0:
		return &LoadError{Reason: "it is empty"}
	case len(wasm) > frame.MaxModule:
		return &LoadError{Reason: fmt.Sprintf("it has %d bytes, at most %d are allowed", len(wasm), frame.MaxModule)}
	case bytes.HasPrefix(wasm, []byte(magic)):
		return nil
	case len(wasm) < len(magic) && bytes.HasPrefix([]byte(magic), wasm):
		return &LoadError{Reason: "the module is damaged: it ends too early"}
	case !bytes.HasPrefix(wasm, []byte(magic[:4])):
		return &LoadError{Reason: "not a WebAssembly module"}
	case len(wasm) >= len(magic) && wasm[6] == componentLayer && wasm[7] == 0:
		return &LoadError{Reason: "it is a WebAssembly component; a provider is a core module, an Extism plug-in"}
	}
	return &LoadError{Reason: "it is WebAssembly of an unknown version, expected version 1"}
}

// sectionOrder are the IDs of sections in their order in a module, where each occurs at
// most once. Custom sections, with ID 0, may be anywhere.
var sectionOrder = []byte{1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11}

// order returns the place of a section, given that of the last one that is not custom, 0
// for none. It refuses a second section of a kind, since this reader could use one of them
// and the compiler the other.
func (r *reader) order(id byte, last int) int {
	place := bytes.IndexByte(sectionOrder, id) + 1
	switch {
	case r.err != nil || id == sectionCustom:
		return last
	case place == 0:
		r.fail("unknown kind of section")
	case place <= last:
		r.fail("duplicate or misplaced section")
	}
	return place
}

// reader reads values from the front of data. After the first error it returns zeros.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("the module is damaged: %s", reason)
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

// name reads a name. It is not cleaned, since the result could be another name.
func (r *reader) name() string {
	b := r.take(r.u32())
	if !utf8.Valid(b) {
		r.fail("a name is not UTF-8")
		return ""
	}
	return string(b)
}

// names reads the number of names that follow.
func (r *reader) names() uint32 {
	n := r.u32()
	if n > maxNames {
		r.fail("it has too many imports or exports")
	}
	return n
}

func (r *reader) imports() []Import {
	var imports []Import
	for n := r.names(); n > 0 && r.err == nil; n-- {
		imp := Import{Module: r.name(), Name: r.name()}
		imp.Kind = r.importType(r.byte())
		imports = append(imports, imp)
	}
	return imports
}

// importType skips the type of an import, and returns its kind, empty for a function.
func (r *reader) importType(kind byte) string {
	switch kind {
	case kindFunction:
		r.u32()
		return ""
	case kindTable:
		r.byte()
		r.limits()
		return "table"
	case kindMemory:
		r.limits()
		return "memory"
	case kindGlobal:
		r.take(2)
		return "global"
	}
	r.fail("unknown kind of import")
	return ""
}

func (r *reader) limits() {
	flags := r.byte()
	if flags > limitsAreShared {
		r.fail("unknown kind of limits")
	}
	r.u32()
	if flags&limitsHaveMax != 0 {
		r.u32()
	}
}

func (r *reader) exports() []string {
	var exports []string
	for n := r.names(); n > 0 && r.err == nil; n-- {
		name, kind := r.name(), r.byte()
		r.u32()
		if kind == kindFunction {
			exports = append(exports, name)
		}
	}
	return exports
}
