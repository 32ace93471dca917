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

// Op is one operation, in the four steps that every call takes. Q is the
// request as a provider sends it, P the exact thing that will be done, R the
// result.
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
}

// Bound is an operation that is ready for a [Gate].
type Bound struct {
	name string
	run  func(ctx context.Context, g *Gate, request []byte, rec *Record) (any, error)
}

// Name is the operation's name in the ABI.
func (b Bound) Name() string { return b.name }

// Bind makes an operation ready for a gate. One with a part missing is an
// error, so no operation can be without its check.
func Bind[Q, P, R any](op Op[Q, P, R]) (Bound, error) {
	switch {
	case op.Name == "":
		return Bound{}, errors.New("an operation has no name")
	case op.Resolve == nil || op.Claim == nil || op.Do == nil:
		return Bound{}, fmt.Errorf("operation %s lacks Resolve, Claim or Do", op.Name)
	}
	return Bound{name: op.Name, run: func(ctx context.Context, g *Gate, request []byte, rec *Record) (any, error) {
		var q Q
		if err := decodeStrict(request, &q); err != nil {
			return nil, abi.Errorf(abi.CodeInvalid, "%s: the request is wrong: %v", op.Name, err)
		}
		p, err := op.Resolve(ctx, q)
		if err != nil {
			return nil, err
		}
		if err := g.decide(op.Name, op.Claim(p), rec); err != nil {
			return nil, err
		}
		return op.Do(ctx, p)
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
