package hostfuncs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
)

// Op is one operation, in the steps that every call takes. Q is the request as
// a provider sends it, P exactly what will be done, R the result.
type Op[Q, P, R any] struct {
	// Name is the operation's name in the ABI.
	Name string
	// Resolve turns a request into exactly what would be done, by look-ups only.
	// It leaves it to Do to report what is missing, since an error before the
	// decision would tell anyone what exists. Here, only what could never be
	// allowed is an error.
	Resolve func(context.Context, Q) (P, error)
	// Claim says what P needs to be allowed. It is pure.
	Claim func(P) capability.Claim
	// Do has the effect. It gets what was decided on and nothing else.
	Do func(context.Context, P) (R, error)
	// Close, if set, releases what Resolve opened, once the call has been
	// answered, whatever the answer is.
	Close func(P)

	// Reaches, if set, lists the variables that reach the program that Do would
	// run.
	Reaches func(P) []EnvStep

	// Looks is set for an operation that affects only what its provider knows and
	// what the user is shown: a plan carries it out. Any other operation has Step
	// and Preview.
	Looks bool
	// Step describes exactly what Do would do, by look-ups only. Two steps that are
	// equal in JSON are the same effect. With an error, Step describes what Do would
	// try, as far as that is known, and the error is why that cannot work.
	Step func(context.Context, P) (Detail, error)
	// Preview is what Do would answer if it worked, and, in words, what of the
	// answer is unknown before. An error is one that is known before.
	Preview func(P) (result R, unknown []string, err error)
}

// Operation is an [Op] of any type.
type Operation interface {
	bind() (bound, error)
}

// bound is an operation as a gate calls it.
type bound struct {
	name    string
	looks   bool
	prepare func(ctx context.Context, request []byte) (*prepared, error)
}

// prepared is one call that is resolved, and not yet decided on.
type prepared struct {
	claim   capability.Claim
	do      func(context.Context) (any, error)
	reaches func() []EnvStep
	step    func(context.Context) (Step, error)
	preview func() (any, []string, error)
	close   func()
}

// bind implements [Operation]. An operation with a part missing is an error, so
// none can be without its check, and none can have an effect in a plan.
func (op Op[Q, P, R]) bind() (bound, error) {
	switch {
	case op.Name == "":
		return bound{}, errors.New("an operation has no name")
	case op.Resolve == nil || op.Claim == nil || op.Do == nil:
		return bound{}, fmt.Errorf("operation %s: Resolve, Claim and Do are required", op.Name)
	case op.Looks != (op.Step == nil) || op.Looks != (op.Preview == nil):
		return bound{}, fmt.Errorf("operation %s: either Looks, or Step and Preview are required", op.Name)
	}
	return bound{name: op.Name, looks: op.Looks, prepare: op.prepare}, nil
}

func (op Op[Q, P, R]) prepare(ctx context.Context, request []byte) (*prepared, error) {
	var q Q
	if err := decodeStrict(request, &q); err != nil {
		return nil, abi.Errorf(abi.CodeInvalid, "%s: the request is wrong: %v", op.Name, err)
	}
	p, err := op.Resolve(ctx, q)
	if err != nil {
		return nil, err
	}
	call := &prepared{
		claim:   op.Claim(p),
		do:      func(ctx context.Context) (any, error) { return op.Do(ctx, p) },
		reaches: func() []EnvStep { return nil },
		step: func(ctx context.Context) (Step, error) {
			detail, err := op.Step(ctx, p)
			return Step{op.Name, detail}, err
		},
		preview: func() (any, []string, error) { return op.Preview(p) },
		close:   func() {},
	}
	if op.Reaches != nil {
		call.reaches = func() []EnvStep { return op.Reaches(p) }
	}
	if op.Close != nil {
		call.close = func() { op.Close(p) }
	}
	return call, nil
}

// OfField returns err with the field of the request that it is about, if it is an
// [*abi.Error].
func OfField(name string, err error) error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		e.Field = name
	}
	return err
}

// decodeStrict takes one JSON document with known fields and nothing after it.
func decodeStrict(data []byte, v any) error {
	if len(data) > abi.MaxRequest {
		return fmt.Errorf("it has %d bytes, at most %d are taken", len(data), abi.MaxRequest)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows after the JSON document")
	}
	return nil
}
