package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// load starts the helper and has it compile the module, or interpret it.
func (m *Module) load(ctx context.Context, dir string, compile, yields bool) (loaded frame.LoadedBody, err error) {
	m.dead, m.compiled = nil, compile
	l := launch{name: m.name, dir: dir, space: m.limits.space(), yields: yields, copies: m.copies}
	if m.process, err = startProcess(m.helper, l); err != nil {
		return loaded, fmt.Errorf("starting the process of a provider's module: %w", err)
	}
	meter := meterLoad(m.process, m.limits)
	body := frame.LoadBody{Compile: compile, Pages: m.limits.pages(), Operations: m.operations, Module: m.wasm}
	err = m.guarded(ctx, func() error {
		defer meter.pause()
		if err := m.send(frame.Load, body.Parts()...); err != nil {
			return err
		}
		reply, err := m.receive(frame.Reply)
		if err != nil {
			return err
		}
		loaded, err = frame.DecodeLoaded(reply.body)
		return err
	})
	return loaded, err
}

// isFailure reports whether the module or its process failed, which was not refused.
func isFailure(err error) bool {
	_, crashed := errors.AsType[*CrashError](err)
	_, limited := errors.AsType[*LimitError](err)
	return crashed || limited
}

// exchange has the helper take a turn, and answers what the module asks for meanwhile.
func (m *Module) exchange(ctx context.Context, t *turn) (output []byte, err error) {
	meter := m.meterTurn()
	kinds := []frame.Kind{frame.Reply}
	if t.kind == frame.Call {
		kinds = append(kinds, frame.HostCall)
	}
	err = m.guarded(ctx, func() error {
		defer meter.pause()
		if err := m.send(t.kind, t.parts...); err != nil {
			return err
		}
		for place := 0; ; place++ {
			got, err := m.receive(kinds...)
			if err != nil || got.kind == frame.Reply {
				output = got.body
				return err
			}
			meter.pause()
			reply, err := m.answer(ctx, t, place, got.body, meter)
			if err != nil {
				return err
			}
			meter.resume()
			if err := m.send(frame.Reply, reply); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return output, nil
}

// giveUpAfter is how long a host that was told to end may go on, before it is left
// alone.
const giveUpAfter = 2 * time.Second

// guarded exchanges frames, ends the process when ctx is done, and turns what
// comes of it into the errors of this package. After an error the process has
// ended.
func (m *Module) guarded(ctx context.Context, exchange func() error) error {
	stop := context.AfterFunc(ctx, func() { m.process.end(context.Cause(ctx)) })
	defer stop()
	done := make(chan error, 1)
	go func() { done <- exchange() }()
	select {
	case err := <-done:
		return m.settle(err)
	case <-ctx.Done():
	}
	wait := time.NewTimer(giveUpAfter)
	defer wait.Stop()
	select {
	case err := <-done:
		return m.settle(err)
	case <-wait.C:
		m.dead = context.Cause(ctx)
		return m.dead
	}
}

// received is a frame.
type received struct {
	kind frame.Kind
	body []byte
}

// exitError says why the helper gave up.
type exitError struct{ frame.ExitBody }

func (e *exitError) Error() string { return e.Reason }

// send sends a frame. A helper that cannot be sent to may have said why.
func (m *Module) send(kind frame.Kind, parts ...[]byte) error {
	err := m.process.conn.Send(kind, parts...)
	if err == nil {
		return nil
	}
	if _, said := m.receive(); said != nil {
		if exit, ok := errors.AsType[*exitError](said); ok {
			return exit
		}
	}
	return err
}

// receive waits for a frame of some kinds, and takes what the module prints until
// then.
func (m *Module) receive(kinds ...frame.Kind) (received, error) {
	for {
		kind, body, err := m.process.conn.Receive(append(kinds, frame.Log, frame.Exit)...)
		switch {
		case err != nil:
			return received{}, err
		case kind == frame.Log:
			m.log.add(body)
		case kind == frame.Exit:
			exit, err := frame.DecodeExit(body)
			if err != nil {
				return received{}, err
			}
			return received{}, &exitError{exit}
		default:
			return received{kind, body}, nil
		}
	}
}

// settle says why an exchange failed. The first reason why the process was ended
// counts; what it says itself counts only if it was not ended.
func (m *Module) settle(err error) error {
	if err == nil {
		return nil
	}
	m.process.end(nil)
	ending := m.process.wait()
	exit, gaveUp := errors.AsType[*exitError](err)
	broken, _ := errors.AsType[*frame.Error](err)
	switch {
	case ending.reason != nil:
		m.dead = ending.reason
	case gaveUp && exit.Why == frame.CannotLoad:
		m.dead = &LoadError{Reason: m.log.crash(exit.Reason).Reason}
	case errors.Is(err, errDiffers):
		m.dead = m.log.crash(errDiffers.Error())
	case gaveUp && exit.Why == frame.Outgrown && !m.compiled:
		m.dead = errOutgrown
	case gaveUp && exit.Why == frame.Crashed:
		m.dead = m.log.crash(exit.Reason)
	case gaveUp:
		m.dead = m.log.crash("its process gave up: " + exit.Reason)
	case broken != nil:
		m.dead = m.log.crash("its process does not keep to the protocol: " + broken.Reason)
	case errors.Is(err, io.ErrUnexpectedEOF):
		m.dead = m.log.crash("its process ended in the middle of a frame: " + ending.text)
	default:
		m.dead = m.log.crash("its process ended: " + ending.text)
	}
	return m.dead
}

// answer has the host carry out a request, unless it did before. An error ends the
// module.
func (m *Module) answer(ctx context.Context, t *turn, place int, body []byte, meter *meter) ([]byte, error) {
	call, err := frame.DecodeHostCall(body)
	if err != nil {
		return nil, err
	}
	if int(call.Operation) >= len(m.operations) {
		return nil, &frame.Error{Reason: fmt.Sprintf("host call of operation %d of %d", call.Operation, len(m.operations))}
	}
	if err := meter.countCall(m.limits.Calls); err != nil {
		m.process.end(err)
		return nil, err
	}
	if reply, ok, err := t.led(place, body); ok || err != nil {
		return reply, err
	}
	if !m.compiled && m.past > maxPast {
		m.process.end(errOutgrown)
		return nil, errOutgrown
	}
	stop := m.compileBehind()
	reply := m.ask(ctx, m.operations[call.Operation], call.Request)
	stop()
	if !m.compiled {
		m.remember(t, body, reply)
	}
	return reply, nil
}

// ask has the host carry out a request, and refuses a reply that is too long.
func (m *Module) ask(ctx context.Context, operation string, request []byte) []byte {
	reply := m.askHost(ctx, operation, request)
	if len(reply) > abi.MaxReply {
		return refusal(abi.CodeTooLarge, "%s: the reply has %d bytes, at most %d can be given", operation, len(reply), abi.MaxReply)
	}
	return reply
}

func (m *Module) askHost(ctx context.Context, operation string, request []byte) (reply []byte) {
	defer func() {
		if r := recover(); r != nil {
			reply = refusal(abi.CodeFailed, "%s: the host failed", operation)
		}
	}()
	return m.host.Call(ctx, operation, request)
}

func refusal(code abi.Code, format string, args ...any) []byte {
	data, err := json.Marshal(abi.Reply{Error: abi.Errorf(code, format, args...)})
	if err != nil {
		return []byte(`{"error":{"code":"failed","message":"the host failed"}}`)
	}
	return data
}
