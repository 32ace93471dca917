// Package hostfuncs is the one door between a provider and the world. Every
// effect passes [Gate.Call]:
//
//	decode -> Resolve -> Claim -> Decide -> audit -> Do -> encode
//
// An operation is an [Op], one file each; what it acts on is a [World]. The
// door knows nothing of Wasm: bytes come in, bytes go out.
package hostfuncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/process"
)

// Gate carries out operations for one provider under its policies.
type Gate struct {
	provider string
	policies []*capability.Policy
	ops      map[string]Bound
	auditor  Auditor
}

// NewGate makes the door for a provider. Every call needs all of the policies
// to allow it; with none, everything is denied. Two operations of one name are
// an error, as is a missing auditor.
func NewGate(provider string, policies []*capability.Policy, ops []Bound, auditor Auditor) (*Gate, error) {
	if auditor == nil {
		return nil, errors.New("a gate needs an auditor")
	}
	g := &Gate{provider: provider, policies: policies, ops: make(map[string]Bound, len(ops)), auditor: auditor}
	for _, op := range ops {
		if _, ok := g.ops[op.name]; ok || op.run == nil {
			return nil, fmt.Errorf("operation %q is bound twice or not at all", op.name)
		}
		g.ops[op.name] = op
	}
	return g, nil
}

// Operations lists what can be called, sorted.
func (g *Gate) Operations() []string { return slices.Sorted(maps.Keys(g.ops)) }

// Call carries out one operation. It always answers with the JSON of an
// [abi.Reply], whatever the request is; it never panics.
func (g *Gate) Call(ctx context.Context, operation string, request []byte) []byte {
	rec := &Record{Operation: operation, Provider: g.provider, Start: time.Now()}
	result, err := g.run(ctx, operation, request, rec)
	reply := abi.Reply{}
	if err == nil {
		if reply.OK, err = json.Marshal(result); err == nil && len(reply.OK) > abi.MaxReply {
			err = abi.Errorf(abi.CodeTooLarge, "%s: the result has %d bytes, at most %d can be given", operation, len(reply.OK), abi.MaxReply)
		}
	}
	if err != nil {
		reply = abi.Reply{Error: asError(ctx, operation, err)}
	}
	rec.Error, rec.Result, rec.Duration = reply.Error, result, time.Since(rec.Start)
	g.auditor.Done(rec)
	data, err := json.Marshal(reply)
	if err != nil {
		return []byte(`{"error":{"code":"failed","message":"the reply is no JSON"}}`)
	}
	return data
}

// run is where a mistake of an operation's own is kept from the caller.
func (g *Gate) run(ctx context.Context, operation string, request []byte, rec *Record) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = abi.Errorf(abi.CodeFailed, "%s: the host failed: %v", operation, r)
		}
	}()
	op, ok := g.ops[operation]
	if !ok {
		return nil, abi.Errorf(abi.CodeInvalid, "there is no operation %q", operation)
	}
	return op.run(ctx, g, request, rec)
}

// decide is the only place where a claim meets the policies.
func (g *Gate) decide(operation string, claim capability.Claim, rec *Record) error {
	claim.Operation, claim.Provider = operation, g.provider
	rec.Claim, rec.Decision = claim, capability.Decide(g.policies, claim)
	rec.Decided = true
	g.auditor.Decided(rec)
	if rec.Decision.Allowed {
		return nil
	}
	return &abi.Error{Code: abi.CodeDenied, Message: rec.Claim.String() + ": " + rec.Decision.Reason(), Hint: rec.AllowHint()}
}

// asError gives each error its code; what an operation did not name is failed,
// unless its context says why it ended.
func asError(ctx context.Context, operation string, err error) *abi.Error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return e
	}
	code := abi.CodeFailed
	if _, ok := errors.AsType[*process.Interrupted](context.Cause(ctx)); ok {
		code = abi.CodeInterrupted
	} else if errors.Is(err, context.DeadlineExceeded) {
		code = abi.CodeTimeout
	} else if errors.Is(err, context.Canceled) {
		code = abi.CodeInterrupted
	}
	return abi.Errorf(code, "%s: %v", operation, err)
}
