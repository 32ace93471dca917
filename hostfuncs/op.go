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

// Op is one operation, as the steps of each call. Q is the provider's request, P exactly
// what Do would do, R the result.
type Op[Q, P, R any] struct {
	// Name is the operation's name in the ABI.
	Name string
	// Resolve turns a request into exactly what Do would do, by look-ups only. An
	// error before the decision would reveal what exists, so Do reports what is
	// missing, and Resolve refuses only what no policy could allow.
	Resolve func(context.Context, Q) (P, error)
	// Claim lists the rights that P needs. It is pure.
	Claim func(P) capability.Claim
	// Do has the effect. It gets only what was decided on.
	Do func(context.Context, P) (R, error)
	// Close, if set, releases what Resolve opened, at the end of every call.
	Close func(P)

	// Reaches, if set, lists the variables that reach the program that Do would run.
	Reaches func(P) []EnvStep

	// Looks is set for an operation that only informs the provider or the user, which
	// happens in a plan too. Any other operation has Step and Preview.
	Looks bool
	// Step describes exactly what Do would do, by look-ups only. Two steps that are
	// equal in JSON are the same effect. An error says why Do would fail; the detail
	// then describes what it would try, as far as that is known.
	Step func(context.Context, P) (Detail, error)
	// Preview returns what Do would return if it worked, and, in words, what of it is
	// not known before. Its error is one that is known before.
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

// prepared is a resolved call before the decision.
type prepared struct {
	claim   capability.Claim
	do      func(context.Context) (any, error)
	reaches func() []EnvStep
	step    func(context.Context) (Step, error)
	preview func() (any, []string, error)
	close   func()
}

// bind implements [Operation]. A missing part is an error, so that no operation is
// without its check or has an effect in a plan.
func (op Op[Q, P, R]) bind() (bound, error) {
	switch {
	case op.Name == "":
		return bound{}, errors.New("an operation's name is required")
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
		return nil, abi.Errorf(abi.CodeInvalid, "%s: invalid request: %v", op.Name, err)
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

// OfField sets the field of the request in err, if it is an [*abi.Error].
func OfField(name string, err error) error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		e.Field = name
	}
	return err
}

// decodeStrict decodes one JSON document with known fields and nothing after it.
func decodeStrict(data []byte, v any) error {
	if len(data) > abi.MaxRequest {
		return fmt.Errorf("%d bytes, the limit is %d", len(data), abi.MaxRequest)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("unexpected data after the JSON document")
	}
	return nil
}
