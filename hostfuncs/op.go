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
// a provider sends it, P the exact thing that will be done, R the result.
type Op[Q, P, R any] struct {
	// Name is the operation's name in the ABI.
	Name string
	// Resolve turns a request into what will really be done, by look-ups only.
	// That something isn't there is for Do to say, after the decision: else
	// anyone could ask what there is. Here only what could never be allowed is
	// an error.
	Resolve func(context.Context, Q) (P, error)
	// Claim says what P needs to be allowed. It is pure.
	Claim func(P) capability.Claim
	// Do has the effect. It gets what was decided on and nothing else.
	Do func(context.Context, P) (R, error)
	// Close, if there is one, lets go of what Resolve opened, once the call has
	// been answered, whatever the answer is.
	Close func(P)

	// Looks is true of an operation that has no effect but on what its
	// provider knows and the user is shown: a plan lets it happen. Any other
	// has Step and Foretell.
	Looks bool
	// Step says exactly what Do would do, by look-ups only. Two that are equal
	// in JSON are the same effect. With an error it is what Do would try, as far
	// as that is known, and the error is why it can't work.
	Step func(context.Context, P) (Step, error)
	// Foretell is what Do would answer if it worked, and in words what of that
	// can't be known before. An error is one that is known before.
	Foretell func(P) (result R, unknown []string, err error)
}

// Bound is an operation that is ready for a [Gate].
type Bound struct {
	name    string
	looks   bool
	prepare func(ctx context.Context, request []byte) (*prepared, error)
}

// prepared is one call as it will be, not yet decided on.
type prepared struct {
	claim    capability.Claim
	do       func(context.Context) (any, error)
	step     func(context.Context) (Step, error)
	foretell func() (any, []string, error)
	close    func()
}

// Name is the operation's name in the ABI.
func (b Bound) Name() string { return b.name }

// Bind makes an operation ready for a gate. One with a part missing is an
// error, so no operation can be without its check, and none can have an effect
// in a plan.
func Bind[Q, P, R any](op Op[Q, P, R]) (Bound, error) {
	switch {
	case op.Name == "":
		return Bound{}, errors.New("an operation has no name")
	case op.Resolve == nil || op.Claim == nil || op.Do == nil:
		return Bound{}, fmt.Errorf("operation %s lacks Resolve, Claim or Do", op.Name)
	case op.Looks != (op.Step == nil) || op.Looks != (op.Foretell == nil):
		return Bound{}, fmt.Errorf("operation %s has either Looks, or Step and Foretell", op.Name)
	}
	return Bound{name: op.Name, looks: op.Looks, prepare: func(ctx context.Context, request []byte) (*prepared, error) {
		var q Q
		if err := decodeStrict(request, &q); err != nil {
			return nil, abi.Errorf(abi.CodeInvalid, "%s: the request is wrong: %v", op.Name, err)
		}
		p, err := op.Resolve(ctx, q)
		if err != nil {
			return nil, err
		}
		return &prepared{
			claim:    op.Claim(p),
			do:       func(ctx context.Context) (any, error) { return op.Do(ctx, p) },
			step:     func(ctx context.Context) (Step, error) { return op.Step(ctx, p) },
			foretell: func() (any, []string, error) { return op.Foretell(p) },
			close: func() {
				if op.Close != nil {
					op.Close(p)
				}
			},
		}, nil
	}}, nil
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
