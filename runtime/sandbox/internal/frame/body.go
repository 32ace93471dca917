package frame

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// LoadBody is a module and how it is loaded.
type LoadBody struct {
	// Compile has the module compiled. Otherwise it is interpreted.
	Compile bool
	// Pages is the most memory that the module may have, in pages of 64 KiB.
	Pages uint32
	// Operations are the names of what the host offers. A HostCall has the place of
	// one in this list.
	Operations []string
	Module     []byte
}

// Parts is the body of a frame, for [Conn.Send].
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

// DecodeLoad reads what [LoadBody.Parts] wrote.
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

// LoadedBody says how a module was loaded.
type LoadedBody struct {
	// Files and Calls say that the kernel bounds which files the helper may open and
	// which system calls it may make.
	Files, Calls bool
	// Warning is why compiled code is not kept, or could not be used.
	Warning string
}

// Parts is the body of a frame.
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

// DecodeLoaded reads what [LoadedBody.Parts] wrote.
func DecodeLoaded(body []byte) (LoadedBody, error) {
	r := reader{data: body}
	bits := r.byte()
	if bits > 3 {
		r.fail()
	}
	b := LoadedBody{Files: bits&1 != 0, Calls: bits&2 != 0, Warning: r.text()}
	return b, r.err
}

// CallBody is the call of an export.
type CallBody struct {
	Export string
	Input  []byte
}

// Parts is the body of a frame.
func (b CallBody) Parts() [][]byte { return [][]byte{appendName(nil, b.Export), b.Input} }

// DecodeCall reads what [CallBody.Parts] wrote.
func DecodeCall(body []byte) (CallBody, error) {
	r := reader{data: body}
	b := CallBody{Export: r.name(), Input: r.rest()}
	return b, r.err
}

// HostCallBody is a request of a module's.
type HostCallBody struct {
	Operation byte // its place in the list of LoadBody
	Request   []byte
}

// Parts is the body of a frame.
func (b HostCallBody) Parts() [][]byte { return [][]byte{{b.Operation}, b.Request} }

// DecodeHostCall reads what [HostCallBody.Parts] wrote.
func DecodeHostCall(body []byte) (HostCallBody, error) {
	r := reader{data: body}
	b := HostCallBody{Operation: r.byte(), Request: r.rest()}
	return b, r.err
}

// Why is the kind of reason why a helper gives up.
type Why byte

// The kinds of reasons.
const (
	CannotLoad Why = 'l' // the module cannot run here
	Crashed    Why = 'c' // the module failed
	Outgrown   Why = 'o' // the module needs more than the interpreter has
	Failed     Why = 'f' // the helper itself failed
)

// ExitBody is why a helper gives up.
type ExitBody struct {
	Why    Why
	Reason string
}

// Parts is the body of a frame.
func (b ExitBody) Parts() [][]byte { return [][]byte{{byte(b.Why)}, []byte(cut(b.Reason))} }

// DecodeExit reads what [ExitBody.Parts] wrote.
func DecodeExit(body []byte) (ExitBody, error) {
	r := reader{data: body}
	b := ExitBody{Why: Why(r.byte())}
	if !slices.Contains([]Why{CannotLoad, Crashed, Outgrown, Failed}, b.Why) {
		r.fail()
	}
	b.Reason = r.text()
	return b, r.err
}

// cut is a text in at most MaxText bytes.
func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), MaxText)], "")
}

// appendName appends a name, whose length is one byte.
func appendName(data []byte, name string) []byte {
	return append(append(data, byte(len(name))), name...)
}

// reader takes values off the front of a body; after the first error it gives
// zeros.
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

// rest is what is left.
func (r *reader) rest() []byte { return r.take(len(r.data)) }

// text is what is left, which must be text.
func (r *reader) text() string {
	if len(r.data) > MaxText || !utf8.Valid(r.data) {
		r.fail()
	}
	return string(r.rest())
}
