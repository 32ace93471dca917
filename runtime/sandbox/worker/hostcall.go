package worker

import (
	"context"
	"encoding/json"
	"fmt"

	extism "github.com/extism/go-sdk"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// hostFunctions returns an import for each operation. It copies the request out of
// Extism's memory, sends it to the host, and copies the reply back.
func (w *worker) hostFunctions() []extism.HostFunction {
	functions := make([]extism.HostFunction, 0, len(w.operations))
	for place, operation := range w.operations {
		functions = append(functions, extism.NewHostFunctionWithStack(
			abi.ImportName(operation),
			func(_ context.Context, p *extism.CurrentPlugin, stack []uint64) {
				stack[0] = w.hostCall(p, byte(place), stack[0])
			},
			[]extism.ValueType{extism.ValueTypePTR},
			[]extism.ValueType{extism.ValueTypePTR},
		))
	}
	return functions
}

// hostCall takes the offset of a request and returns the offset of the reply.
func (w *worker) hostCall(p *extism.CurrentPlugin, place byte, offset uint64) uint64 {
	request, refused := w.read(p, offset)
	reply := refused
	if refused == nil {
		reply = w.ask(place, request)
	}
	answer, err := p.WriteBytes(reply)
	// Extism's allocator returns 0 when it has no memory left.
	if err != nil || answer == 0 {
		w.stop(&crashError{fmt.Sprintf("no memory is left for the reply to %s", w.operations[place])})
	}
	return answer
}

// ask sends a request to the host and returns the reply.
func (w *worker) ask(place byte, request []byte) []byte {
	w.output.flush()
	if err := w.conn.Send(frame.HostCall, frame.HostCallBody{Operation: place, Request: request}.Parts()...); err != nil {
		w.stop(err)
	}
	_, reply, err := w.conn.Receive(frame.Reply)
	if err != nil {
		w.stop(err)
	}
	return reply
}

// read copies the request at an offset. The module chooses the offset and controls the
// length, so neither is trusted. A module is stopped if there is no block at the offset.
func (w *worker) read(p *extism.CurrentPlugin, offset uint64) (request, refused []byte) {
	length, err := p.Length(offset)
	if err != nil || length == 0 || offset > 1<<32-1 {
		w.badOffset(offset)
	}
	if length > abi.MaxRequest {
		return nil, tooLarge(length)
	}
	view, ok := p.Memory().Read(uint32(offset), uint32(length))
	if !ok {
		w.badOffset(offset)
	}
	return append([]byte(nil), view...), nil
}

func (w *worker) badOffset(offset uint64) {
	w.stop(&crashError{fmt.Sprintf("it made a host call with an invalid offset: %d", offset)})
}

// stop ends the module from a host function, which cannot return an error: wazero
// converts the panic to one.
func (w *worker) stop(reason error) {
	w.stopped = reason
	panic(reason)
}

func tooLarge(length uint64) []byte {
	data, err := json.Marshal(abi.Reply{Error: abi.Errorf(abi.CodeTooLarge,
		"the request has %d bytes, at most %d are taken", length, abi.MaxRequest)})
	if err != nil {
		return []byte(`{"error":{"code":"too_large","message":"the request is too large"}}`)
	}
	return data
}
