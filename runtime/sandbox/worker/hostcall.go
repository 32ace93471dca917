package worker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// offer makes an import of each operation: bytes out of Extism's memory, to the
// host, and its bytes back.
func (w *worker) offer(ctx context.Context) error {
	builder := w.module.runtime.NewHostModuleBuilder(hostNamespace)
	for place, operation := range w.operations {
		builder.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(ctx context.Context, stack []uint64) {
			w.module.kernel.mustBeCalled()
			stack[0] = w.cross(ctx, byte(place), stack[0])
		}), one(i64), one(i64)).Export(abi.ImportName(operation))
	}
	_, err := builder.Instantiate(ctx)
	return err
}

// cross answers a request at an offset with the offset of a reply.
func (w *worker) cross(ctx context.Context, place byte, offset uint64) uint64 {
	request, refused := w.read(ctx, offset)
	reply := refused
	if refused == nil {
		reply = w.ask(place, request)
	}
	answer, err := w.module.kernel.write(ctx, reply)
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

// read finds the block at an offset; the offset is the guest's word, and every
// number here can be a lie. A module that hands over an offset at which there is
// nothing is stopped.
func (w *worker) read(ctx context.Context, offset uint64) (request, refused []byte) {
	length, err := w.module.kernel.length(ctx, offset)
	if err != nil || length == 0 || offset > 1<<32-1 {
		w.badOffset(offset)
	}
	if length > abi.MaxRequest {
		return nil, tooLarge(length)
	}
	request, ok := w.module.kernel.view(offset, length)
	if !ok {
		w.badOffset(offset)
	}
	return request, nil
}

func (w *worker) badOffset(offset uint64) {
	w.stop(&crashError{fmt.Sprintf("it says that a request is at offset %d of Extism's memory, where there is none", offset)})
}

// stop ends the module from a function that it called, which has no error to
// return: wazero makes one of the panic.
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
