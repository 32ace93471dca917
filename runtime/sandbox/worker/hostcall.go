package worker

import (
	"context"
	"encoding/json"
	"fmt"

	extism "github.com/extism/go-sdk"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// hostFunctions makes an import of each operation: bytes out of Extism's memory,
// to the host, and its bytes back.
func (w *worker) hostFunctions() []extism.HostFunction {
	functions := make([]extism.HostFunction, 0, len(w.operations))
	for place, operation := range w.operations {
		functions = append(functions, extism.NewHostFunctionWithStack(
			abi.ImportName(operation),
			func(_ context.Context, p *extism.CurrentPlugin, stack []uint64) {
				stack[0] = w.cross(p, byte(place), stack[0])
			},
			[]extism.ValueType{extism.ValueTypePTR},
			[]extism.ValueType{extism.ValueTypePTR},
		))
	}
	return functions
}

// cross answers a request at an offset with the offset of a reply.
func (w *worker) cross(p *extism.CurrentPlugin, place byte, offset uint64) uint64 {
	request, refused := w.read(p, offset)
	reply := refused
	if refused == nil {
		reply = w.ask(place, request)
	}
	answer, err := p.WriteBytes(reply)
	// Extism's allocator says 0 when it has nothing left.
	if err != nil || answer == 0 {
		w.stop(&crashError{fmt.Sprintf("no memory is left for the reply to %s", w.operations[place])})
	}
	return answer
}

// ask has the host carry out a request.
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

// read copies the block at an offset; the offset is the guest's word, and
// every number here can be a lie. A module that hands over an offset at which
// there is nothing is stopped.
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
	w.stop(&crashError{fmt.Sprintf("it says that a request is at offset %d of Extism's memory, where there is none", offset)})
}

// stop ends the module from a callback of Extism's, which has no error to return:
// wazero makes one of the panic.
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
