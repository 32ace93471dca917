// Package hostfuncs is the one gate between a provider and the world. Every
// effect passes [Gate.Call]:
//
//	decode -> Resolve -> Claim -> Decide -> audit -> Do -> encode
//
// An operation is an [Op]. Each family of operations is a package below this one; the
// gate knows no operation's name. It knows nothing of Wasm either: bytes come in, bytes
// go out.
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

// GateOptions are required unless their comment says otherwise.
type GateOptions struct {
	Provider string
	// Policies have to allow each call; without policies, all calls are denied.
	Policies   []*capability.Policy
	Operations []Operation
	Auditor    Auditor
	// Mask has the values that no error may contain.
	Mask *redact.Set
	// Plan, if set, collects the effects, and none happens.
	Plan *Plan
	// Planned, if set, has to allow each effect too.
	Planned *Planned
}

// NewGate constructs the gate of a provider. Operations with a missing part, duplicate
// operations and a missing auditor are errors.
func NewGate(opts GateOptions) (*Gate, error) {
	if opts.Auditor == nil {
		return nil, errors.New("an auditor is required")
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

// Operations lists the names of all operations, sorted.
func (g *Gate) Operations() []string { return slices.Sorted(maps.Keys(g.ops)) }

// Policies are the layers that have to allow each call.
func (g *Gate) Policies() []*capability.Policy { return g.opts.Policies }

// Explain decides about a call without carrying it out or recording it.
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

// Call carries out one operation. For every request it returns the JSON of an
// [abi.Reply]; it never panics.
func (g *Gate) Call(ctx context.Context, operation string, request []byte) []byte {
	rec := &Record{Operation: operation, Provider: g.opts.Provider, Start: time.Now(), RequestBytes: len(request)}
	result, err := g.run(ctx, operation, request, rec)
	reply := abi.Reply{}
	if err == nil {
		if reply.OK, err = json.Marshal(result); err == nil && len(reply.OK) > abi.MaxReply {
			err = abi.Errorf(abi.CodeTooLarge, "%s: the result has %d bytes, the limit is %d", operation, len(reply.OK), abi.MaxReply)
		}
	}
	if err != nil {
		reply = abi.Reply{Error: g.masked(asError(ctx, operation, err))}
	}
	data, err := json.Marshal(reply)
	if err != nil {
		data = []byte(`{"error":{"code":"failed","message":"cannot encode the reply"}}`)
	}
	rec.Error, rec.Result, rec.ReplyBytes, rec.Duration = reply.Error, result, len(data), time.Since(rec.Start)
	g.opts.Auditor.Done(rec)
	return data
}

// masked makes an error safe to show. It cleans before it masks: an engine or a program
// may have printed a value with colours in it.
func (g *Gate) masked(e *abi.Error) *abi.Error {
	out := *e
	out.Message, out.Hint = g.opts.Mask.Text(termtext.Clean(e.Message)), g.opts.Mask.Text(termtext.Clean(e.Hint))
	return &out
}

// run turns a panic of an operation into an error.
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
		return op, nil, abi.Errorf(abi.CodeInvalid, "unknown operation %q", operation)
	}
	call, err := op.prepare(ctx, request)
	return op, call, err
}

// weigh decides about a claim. Nothing else does.
func (g *Gate) weigh(ctx context.Context, op bound, call *prepared, rec *Record) {
	call.claim.Operation, call.claim.Provider = op.name, g.opts.Provider
	rec.Claim, rec.Layers = call.claim, capability.Explain(g.opts.Policies, call.claim)
	if g.opts.Planned != nil && !op.looks {
		rec.Layers = append(rec.Layers, g.opts.Planned.decide(ctx, call))
	}
	rec.Environment = call.reaches()
	rec.Decision, rec.Decided = capability.Weigh(rec.Layers), true
}

// decide decides about a call and returns an error if it must not happen.
func (g *Gate) decide(ctx context.Context, op bound, call *prepared, rec *Record) error {
	g.weigh(ctx, op, call, rec)
	if err := g.opts.Auditor.Decided(rec); err != nil {
		return err
	}
	if rec.Decision.Allowed {
		return nil
	}
	denied := &abi.Error{Code: abi.CodeDenied, Message: rec.Claim.String() + ": denied"}
	// The provider must not learn the content of a file that it may not use.
	if !rec.Claim.FromFiles() {
		denied.Message, denied.Hint = rec.Claim.String()+": "+strings.Join(rec.Reasons(), "; "), rec.AllowHint()
	}
	return denied
}

// Interruption is the cause of a context that ends because the user or the system
// interrupts the run.
type Interruption interface {
	error
	Interrupts()
}

// asError gives an error without a code the one of its context's end, or else failed.
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
