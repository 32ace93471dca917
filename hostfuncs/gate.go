// Package hostfuncs is the one gate between a provider and the world. Every
// effect passes [Gate.Call]:
//
//	decode -> Resolve -> Claim -> Decide -> audit -> Do -> encode
//
// An operation is an [Op]. Operations belong to packages below this one, one for
// each family; the gate knows none of them by name. It knows nothing of Wasm
// either: bytes come in, bytes go out.
package hostfuncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/redact"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Gate carries out operations for one provider under its policies.
type Gate struct {
	opts GateOptions
	ops  map[string]bound
}

// GateOptions say whose gate it is, and what it does.
type GateOptions struct {
	Provider string
	// Policies all have to allow a call; with none, everything is denied.
	Policies   []*capability.Policy
	Operations []Operation
	Auditor    Auditor
	// Mask has the values that no answer may have in it.
	Mask *redact.Set
	// Plan, if set, gathers the effects, and nothing happens.
	Plan *Plan
	// Planned, if set, has to allow each effect too.
	Planned *Planned
}

// NewGate makes the gate for a provider. An operation with a part missing, two
// operations of one name, and a missing auditor are errors.
func NewGate(opts GateOptions) (*Gate, error) {
	if opts.Auditor == nil {
		return nil, errors.New("a gate needs an auditor")
	}
	g := &Gate{opts: opts, ops: make(map[string]bound, len(opts.Operations))}
	for _, operation := range opts.Operations {
		op, err := operation.bind()
		if err != nil {
			return nil, err
		}
		if _, ok := g.ops[op.name]; ok {
			return nil, fmt.Errorf("duplicate operation %s", op.name)
		}
		g.ops[op.name] = op
	}
	return g, nil
}

// Operations lists what can be called, sorted.
func (g *Gate) Operations() []string { return slices.Sorted(maps.Keys(g.ops)) }

// Policies are the layers that a call needs.
func (g *Gate) Policies() []*capability.Policy { return g.opts.Policies }

// Explain tells what would be decided about a call. Nothing is done, and
// nothing recorded.
func (g *Gate) Explain(ctx context.Context, operation string, request []byte) (*Record, error) {
	op, call, err := g.prepare(ctx, operation, request)
	if err != nil {
		return nil, err
	}
	defer call.close()
	rec := &Record{Operation: operation, Provider: g.opts.Provider}
	g.weigh(ctx, op, call, rec)
	return rec, nil
}

// Call carries out one operation. It always answers with the JSON of an
// [abi.Reply], whatever the request is; it never panics.
func (g *Gate) Call(ctx context.Context, operation string, request []byte) []byte {
	rec := &Record{Operation: operation, Provider: g.opts.Provider, Start: time.Now(), RequestBytes: len(request)}
	result, err := g.run(ctx, operation, request, rec)
	reply := abi.Reply{}
	if err == nil {
		if reply.OK, err = json.Marshal(result); err == nil && len(reply.OK) > abi.MaxReply {
			err = abi.Errorf(abi.CodeTooLarge, "%s: the result has %d bytes, at most %d can be given", operation, len(reply.OK), abi.MaxReply)
		}
	}
	if err != nil {
		reply = abi.Reply{Error: g.masked(asError(ctx, operation, err))}
	}
	data, err := json.Marshal(reply)
	if err != nil {
		data = []byte(`{"error":{"code":"failed","message":"the reply is no JSON"}}`)
	}
	rec.Error, rec.Result, rec.ReplyBytes, rec.Duration = reply.Error, result, len(data), time.Since(rec.Start)
	g.opts.Auditor.Done(rec)
	return data
}

// masked is an error as anyone may see it. What an engine or a program said is in
// it as it was printed: a value with colour in it is masked once that is gone.
func (g *Gate) masked(e *abi.Error) *abi.Error {
	out := *e
	out.Message, out.Hint = g.opts.Mask.Text(termtext.Clean(e.Message)), g.opts.Mask.Text(termtext.Clean(e.Hint))
	return &out
}

// run is where a mistake of an operation's own is kept from the caller.
func (g *Gate) run(ctx context.Context, operation string, request []byte, rec *Record) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = abi.Errorf(abi.CodeFailed, "%s: the host failed: %v", operation, r)
		}
	}()
	op, call, err := g.prepare(ctx, operation, request)
	if err != nil {
		return nil, err
	}
	defer call.close()
	rec.Effect = !op.looks && g.opts.Plan == nil
	denied := g.decide(ctx, op, call, rec)
	switch {
	case g.opts.Plan != nil && !op.looks:
		return g.opts.Plan.preview(ctx, call, rec)
	case denied != nil:
		return nil, denied
	}
	return call.do(ctx)
}

func (g *Gate) prepare(ctx context.Context, operation string, request []byte) (bound, *prepared, error) {
	op, ok := g.ops[operation]
	if !ok {
		return op, nil, abi.Errorf(abi.CodeInvalid, "there is no operation %q", operation)
	}
	call, err := op.prepare(ctx, request)
	return op, call, err
}

// weigh is the only place where a claim meets the policies.
func (g *Gate) weigh(ctx context.Context, op bound, call *prepared, rec *Record) {
	call.claim.Operation, call.claim.Provider = op.name, g.opts.Provider
	rec.Claim, rec.Layers = call.claim, capability.Explain(g.opts.Policies, call.claim)
	if g.opts.Planned != nil && !op.looks {
		rec.Layers = append(rec.Layers, g.opts.Planned.decide(ctx, call))
	}
	rec.Environment = call.reaches()
	rec.Decision, rec.Decided = capability.Weigh(rec.Layers), true
}

// decide gives an error for what is not to be done.
func (g *Gate) decide(ctx context.Context, op bound, call *prepared, rec *Record) error {
	g.weigh(ctx, op, call, rec)
	if err := g.opts.Auditor.Decided(rec); err != nil {
		return err
	}
	if rec.Decision.Allowed {
		return nil
	}
	denied := &abi.Error{Code: abi.CodeDenied, Message: rec.Claim.String() + ": denied"}
	// What is in a file that it may not use is not for a provider to learn.
	if !rec.Claim.FromFiles() {
		denied.Message, denied.Hint = rec.Claim.String()+": "+strings.Join(rec.Reasons(), "; "), rec.AllowHint()
	}
	return denied
}

// Interruption is the cause with which a context ends when the user or the system
// asks a run to end.
type Interruption interface {
	error
	Interrupts()
}

// asError gives each error its code; what an operation did not name is failed,
// unless its context says why it ended.
func asError(ctx context.Context, operation string, err error) *abi.Error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return e
	}
	code := abi.CodeFailed
	_, interrupted := errors.AsType[Interruption](context.Cause(ctx))
	switch {
	case interrupted:
		code = abi.CodeInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		code = abi.CodeTimeout
	case errors.Is(err, context.Canceled):
		code = abi.CodeInterrupted
	}
	return abi.Errorf(code, "%s: %v", operation, err)
}
