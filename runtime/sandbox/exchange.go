package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox/internal/frame"
)

// load has a helper compile or interpret the module: the one that was started ahead, or a
// new one.
func (m *Module) load(ctx context.Context, dir string, compile, yields bool) (loaded frame.LoadedBody, err error) {
	m.dead, m.compiled = nil, compile
	if m.process = m.ahead.take(dir); m.process == nil {
		l := launch{name: m.name, dir: dir, space: m.limits.space(), yields: yields, copies: m.copies}
		if m.process, err = startProcess(m.helper, l); err != nil {
			return loaded, fmt.Errorf("starting the process of a provider's module: %w", err)
		}
	}
	meter := meterLoad(m.process, m.limits, dir)
	body := frame.LoadBody{Compile: compile, Pages: m.limits.pages(), Operations: m.operations, Module: m.wasm}
	err = m.guarded(ctx, func() error {
		defer meter.stop()
		if err := m.send(frame.Load, body.Parts()...); err != nil {
			return err
		}
		reply, err := m.receive(frame.Reply)
		if err != nil {
			return err
		}
		loaded, err = frame.DecodeLoaded(reply.body)
		loaded.Warning = termtext.Line(loaded.Warning, frame.MaxText)
		return err
	})
	return loaded, err
}

// isFailure reports whether the module or its process failed; a refused module did not.
func isFailure(err error) bool {
	_, crashed := errors.AsType[*CrashError](err)
	_, limited := errors.AsType[*LimitError](err)
	return crashed || limited
}

// exchange has the helper take a turn, and answers the module's host calls.
func (m *Module) exchange(ctx context.Context, t *turn) (output []byte, err error) {
	meter := m.meterTurn()
	kinds := []frame.Kind{frame.Reply}
	if t.kind == frame.Call {
		kinds = append(kinds, frame.HostCall)
	}
	err = m.guarded(ctx, func() error {
		defer meter.stop()
		if err := m.send(t.kind, t.parts...); err != nil {
			return err
		}
		for place := 0; ; place++ {
			got, err := m.receive(kinds...)
			if err != nil {
				return err
			}
			if got.kind == frame.Reply {
				output = got.body
				return t.ended(place)
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

// giveUpAfter is how long guarded waits for a host call to end after ctx is done.
const giveUpAfter = 2 * time.Second

// guarded runs an exchange of frames, ends the process when ctx is done, and returns
// an error of this package. After an error the process has ended.
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

// exitError is the reason that the helper gave in its Exit frame.
type exitError struct{ frame.ExitBody }

func (e *exitError) Error() string { return e.Reason }

// send sends a frame. If the helper has ended, the error is the reason that it gave.
func (m *Module) send(kind frame.Kind, parts ...[]byte) error {
	err := m.process.conn.Send(kind, parts...)
	if err == nil {
		return nil
	}
	_, last := m.receive()
	if exit, ok := errors.AsType[*exitError](last); ok {
		return exit
	}
	return err
}

// receive waits for a frame of one of the kinds, and logs what the module prints
// meanwhile.
func (m *Module) receive(kinds ...frame.Kind) (received, error) {
	for {
		kind, body, err := m.process.conn.Receive(append(kinds, frame.Log, frame.Exit)...)
		switch {
		case err != nil:
			return received{}, err
		case kind == frame.Log:
			if err := m.process.countLog(body); err != nil {
				return received{}, err
			}
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

// settle ends the process and returns the error of a failed exchange. If this program
// ended the process, its first reason for that is the error; otherwise the helper's.
func (m *Module) settle(err error) error {
	if err == nil {
		return nil
	}
	m.process.end(nil)
	ending := m.process.wait()
	exit, exited := errors.AsType[*exitError](err)
	broken, _ := errors.AsType[*frame.Error](err)
	switch {
	case ending.reason != nil:
		m.dead = ending.reason
	case exited && exit.Why == frame.CannotLoad:
		m.dead = &LoadError{Reason: m.log.crash(exit.Reason).Reason}
	case errors.Is(err, errDiffers):
		m.dead = m.log.crash(errDiffers.Error())
	case exited && exit.Why == frame.Outgrown && !m.compiled:
		m.dead = errOutgrown
	case exited && exit.Why == frame.Crashed:
		m.dead = m.log.crash(exit.Reason)
	case exited:
		m.dead = m.log.crash("its process failed: " + exit.Reason)
	case broken != nil:
		m.dead = m.log.crash("its process broke the protocol: " + broken.Reason)
	case errors.Is(err, io.ErrUnexpectedEOF):
		m.dead = m.log.crash("its process ended in the middle of a frame: " + ending.text)
	default:
		m.dead = m.log.crash("its process ended: " + ending.text)
	}
	return m.dead
}

// answer passes a request to the host, unless the interpreter made the same one before.
// After an error the module ends.
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
		return refusal(abi.CodeTooLarge, "%s: the reply has %d bytes, at most %d are allowed", operation, len(reply), abi.MaxReply)
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
