package sandbox

import (
	"context"
	"encoding/json"
	"fmt"

	extism "github.com/extism/go-sdk"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// hostFunction is the Wasm side of one operation: bytes out of Extism's
// memory, to the host, and its bytes back.
func (m *Module) hostFunction(operation string) extism.HostFunction {
	return extism.NewHostFunctionWithStack(
		abi.ImportName(operation),
		func(ctx context.Context, p *extism.CurrentPlugin, stack []uint64) {
			m.meter.pause()
			m.gc.lend()
			var crossed int
			stack[0], crossed = m.cross(ctx, p, operation, stack[0])
			m.gc.takeBack(crossed + operationGarbage)
			m.meter.resume()
		},
		[]extism.ValueType{extism.ValueTypePTR},
		[]extism.ValueType{extism.ValueTypePTR},
	)
}

// cross answers a request at an offset with the offset of a reply, and says how
// many bytes that has. A callback of Extism's has no error to return: what
// can't even be answered stops the module.
func (m *Module) cross(ctx context.Context, p *extism.CurrentPlugin, operation string, offset uint64) (answer uint64, crossed int) {
	if !m.meter.countCall() {
		return 0, 0
	}
	reply := m.answer(ctx, p, operation, offset)
	answer, err := p.WriteBytes(reply)
	// Extism's allocator says 0 when it has nothing left.
	if err != nil || answer == 0 {
		m.meter.stop(&CrashError{Reason: fmt.Sprintf("no memory is left for the reply to %s", operation)})
		return 0, 0
	}
	return answer, len(reply)
}

func (m *Module) answer(ctx context.Context, p *extism.CurrentPlugin, operation string, offset uint64) (reply []byte) {
	// A panic would leave through Extism to whoever called the module.
	defer func() {
		if r := recover(); r != nil {
			reply = refusal(abi.CodeFailed, "%s: the host failed", operation)
		}
	}()
	request, refused := m.read(p, offset)
	if refused != nil {
		return refused
	}
	reply = m.host.Call(ctx, operation, request)
	if len(reply) > abi.MaxReply {
		return refusal(abi.CodeTooLarge, "%s: the reply has %d bytes, at most %d can be given", operation, len(reply), abi.MaxReply)
	}
	return reply
}

// read copies the block at an offset; the offset is the guest's word, and
// every number here can be a lie. A module that hands over an offset at which
// there is nothing is not worth an answer.
func (m *Module) read(p *extism.CurrentPlugin, offset uint64) (request, refused []byte) {
	length, err := p.Length(offset)
	if err != nil || length == 0 || offset > 1<<32-1 {
		return nil, m.badOffset(offset)
	}
	if length > abi.MaxRequest {
		return nil, refusal(abi.CodeTooLarge, "the request has %d bytes, at most %d are taken", length, abi.MaxRequest)
	}
	view, ok := p.Memory().Read(uint32(offset), uint32(length))
	if !ok {
		return nil, m.badOffset(offset)
	}
	return append([]byte(nil), view...), nil
}

func (m *Module) badOffset(offset uint64) []byte {
	m.meter.stop(&CrashError{Reason: fmt.Sprintf("it says that a request is at offset %d of Extism's memory, where there is none", offset)})
	return refusal(abi.CodeInvalid, "there is no request at offset %d of Extism's memory", offset)
}

func refusal(code abi.Code, format string, args ...any) []byte {
	data, err := json.Marshal(abi.Reply{Error: abi.Errorf(code, format, args...)})
	if err != nil {
		return []byte(`{"error":{"code":"failed","message":"the host failed"}}`)
	}
	return data
}
