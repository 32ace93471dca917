package frame

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// LoadBody is a module and its settings.
type LoadBody struct {
	// Compile asks for compiled code. Otherwise the module is interpreted.
	Compile bool
	// Pages is the limit of the module's memory, in pages of 64 KiB.
	Pages uint32
	// Operations are the names of the operations that the host offers. A HostCall has
	// an index into them.
	Operations []string
	Module     []byte
}

// Parts encodes the body, for [Conn.Send].
func (b LoadBody) Parts() [][]byte {
	var compile byte
	if b.Compile {
		compile = 1
	}
	head := binary.LittleEndian.AppendUint32([]byte{compile}, b.Pages)
	head = append(head, byte(len(b.Operations)))
	for _, operation := range b.Operations {
		head = appendName(head, operation)
	}
	return [][]byte{head, b.Module}
}

// DecodeLoad decodes what [LoadBody.Parts] encoded.
func DecodeLoad(body []byte) (LoadBody, error) {
	r := reader{data: body}
	compile := r.byte()
	if compile > 1 {
		r.fail()
	}
	b := LoadBody{Compile: compile == 1, Pages: r.u32()}
	for range r.byte() {
		b.Operations = append(b.Operations, r.name())
	}
	b.Module = r.rest()
	return b, r.err
}

// LoadedBody is the result of loading a module.
type LoadedBody struct {
	// Files and Calls report whether the kernel bounds the files that the helper can open,
	// and its system calls.
	Files, Calls bool
	// Warning is the reason why compiled code could not be stored or used, or empty.
	Warning string
}

// Parts encodes the body.
func (b LoadedBody) Parts() [][]byte {
	var bits byte
	if b.Files {
		bits |= 1
	}
	if b.Calls {
		bits |= 2
	}
	return [][]byte{{bits}, []byte(cut(b.Warning))}
}

// DecodeLoaded decodes what [LoadedBody.Parts] encoded.
func DecodeLoaded(body []byte) (LoadedBody, error) {
	r := reader{data: body}
	bits := r.byte()
	if bits > 3 {
		r.fail()
	}
	b := LoadedBody{Files: bits&1 != 0, Calls: bits&2 != 0, Warning: r.text()}
	return b, r.err
}

// CallBody is an export and its input.
type CallBody struct {
	Export string
	Input  []byte
}

// Parts encodes the body.
func (b CallBody) Parts() [][]byte { return [][]byte{appendName(nil, b.Export), b.Input} }

// DecodeCall decodes what [CallBody.Parts] encoded.
func DecodeCall(body []byte) (CallBody, error) {
	r := reader{data: body}
	b := CallBody{Export: r.name(), Input: r.rest()}
	return b, r.err
}

// HostCallBody is an operation and its request.
type HostCallBody struct {
	Operation byte // an index into the operations of LoadBody
	Request   []byte
}

// Parts encodes the body.
func (b HostCallBody) Parts() [][]byte { return [][]byte{{b.Operation}, b.Request} }

// DecodeHostCall decodes what [HostCallBody.Parts] encoded.
func DecodeHostCall(body []byte) (HostCallBody, error) {
	r := reader{data: body}
	b := HostCallBody{Operation: r.byte(), Request: r.rest()}
	return b, r.err
}

// CheckBody is a value and the schema by which it is checked.
type CheckBody struct {
	Schema abi.JSON `json:"schema"`
	Value  abi.JSON `json:"value"`
	// Texts are JSON pointers to values that are text, as TextFrom of [abi.Description].
	Texts []string `json:"texts"`
}

// Why is the kind of error that ends a helper.
type Why byte

// The kinds of errors.
const (
	CannotLoad Why = 'l' // the module cannot run here
	Crashed    Why = 'c' // the module failed
	Outgrown   Why = 'o' // the module needs more than the interpreter has
	Failed     Why = 'f' // the helper itself failed
)

// ExitBody is the error that ends a helper.
type ExitBody struct {
	Why    Why
	Reason string
}

// Parts encodes the body.
func (b ExitBody) Parts() [][]byte { return [][]byte{{byte(b.Why)}, []byte(cut(b.Reason))} }

// DecodeExit decodes what [ExitBody.Parts] encoded.
func DecodeExit(body []byte) (ExitBody, error) {
	r := reader{data: body}
	b := ExitBody{Why: Why(r.byte())}
	if !slices.Contains([]Why{CannotLoad, Crashed, Outgrown, Failed}, b.Why) {
		r.fail()
	}
	b.Reason = r.text()
	return b, r.err
}

// cut shortens a text to at most MaxText bytes.
func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), MaxText)], "")
}

// appendName appends the length of a name in one byte, and the name.
func appendName(data []byte, name string) []byte {
	return append(append(data, byte(len(name))), name...)
}

// reader decodes values from the front of a body. After the first error it returns zeros.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail() {
	r.err, r.data = &Error{"damaged frame"}, nil
}

func (r *reader) take(n int) []byte {
	if n > len(r.data) {
		r.fail()
		return make([]byte, n)
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) byte() byte   { return r.take(1)[0] }
func (r *reader) u32() uint32  { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) name() string { return string(r.take(int(r.byte()))) }

// rest returns the remaining bytes.
func (r *reader) rest() []byte { return r.take(len(r.data)) }

// text returns the remaining bytes, which must be UTF-8.
func (r *reader) text() string {
	if len(r.data) > MaxText || !utf8.Valid(r.data) {
		r.fail()
	}
	return string(r.rest())
}
