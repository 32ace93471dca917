package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// Exports calls the functions that a provider exports, with bytes in and a reply's
// bytes out. A Wasm module implements it, and so does a provider in Go.
type Exports interface {
	Call(ctx context.Context, export string, input []byte) (reply []byte, err error)
}

// Guest speaks the ABI with a provider's exports.
type Guest struct {
	exports Exports
	about   abi.Description
}

// ContractError says how a provider violates the ABI.
type ContractError struct {
	Export string
	Reason string
}

func (e *ContractError) Error() string { return e.Reason }

// NewGuest asks the exports to describe themselves.
//
// # Errors
//
// A [*ContractError] if the provider has another ABI version, or none.
func NewGuest(ctx context.Context, exports Exports) (*Guest, error) {
	g := &Guest{exports: exports}
	if err := g.call(ctx, abi.ExportDescribe, nil, &g.about); err != nil {
		return nil, err
	}
	if g.about.ABI != abi.Version {
		return nil, &ContractError{abi.ExportDescribe, fmt.Sprintf(
			"it is built for ABI version %d, this stagecraft supports version %d", g.about.ABI, abi.Version)}
	}
	if err := CheckID(g.about.ID); err != nil {
		return nil, &ContractError{abi.ExportDescribe, err.Error()}
	}
	if err := checkAsks(g.about); err != nil {
		return nil, &ContractError{abi.ExportDescribe, err.Error()}
	}
	return g, nil
}

// ID is the ID that the provider itself gives.
func (g *Guest) ID() string { return g.about.ID }

// Describe returns the provider's description of itself.
func (g *Guest) Describe() abi.Description { return g.about }

// Validate has the provider check its part of the configuration.
func (g *Guest) Validate(ctx context.Context, opts abi.ValidateOptions) error {
	return g.call(ctx, abi.ExportValidate, opts, &abi.Empty{})
}

// Dev implements [Provider].
func (g *Guest) Dev(ctx context.Context, opts DevOptions) error {
	return g.call(ctx, abi.ExportDev, opts, &abi.Empty{})
}

// BuildDocker implements [Provider].
func (g *Guest) BuildDocker(ctx context.Context, opts BuildDockerOptions) (string, error) {
	var result abi.BuildDockerResult
	err := g.call(ctx, abi.ExportBuildDocker, opts, &result)
	if err == nil && result.Image == "" {
		err = &ContractError{abi.ExportBuildDocker, "it did not return an image reference"}
	}
	return termtext.Line(result.Image, 1000), err
}

func (g *Guest) call(ctx context.Context, export string, input, result any) error {
	var data []byte
	if input != nil {
		var err error
		if data, err = json.Marshal(input); err != nil {
			return fmt.Errorf("%s: options: %w", export, err)
		}
	}
	answer, err := g.exports.Call(ctx, export, data)
	if err != nil {
		return err
	}
	return decodeReply(export, answer, result)
}

// decodeReply reads a reply. It ignores unknown fields: the ABI may add some.
func decodeReply(export string, answer []byte, result any) error {
	if len(answer) > abi.MaxReply {
		return &ContractError{export, fmt.Sprintf("it returned %d bytes, the limit is %d", len(answer), abi.MaxReply)}
	}
	var reply abi.Reply
	if err := json.Unmarshal(answer, &reply); err != nil {
		return &ContractError{export, fmt.Sprintf("its reply is not JSON: %q", termtext.Line(string(answer[:min(len(answer), 200)]), 60))}
	}
	switch {
	case reply.Error != nil && reply.OK != nil:
		return &ContractError{export, `its reply has both "ok" and "error"`}
	case reply.Error != nil:
		return cleaned(reply.Error)
	case len(bytes.TrimSpace(reply.OK)) == 0:
		return &ContractError{export, `its reply has neither "ok" nor "error"`}
	}
	if err := json.Unmarshal(reply.OK, result); err != nil {
		return &ContractError{export, fmt.Sprintf("its reply has an unexpected shape: %s", termtext.Line(err.Error(), 200))}
	}
	return nil
}

// cleaned makes a provider's error safe to show.
func cleaned(e *abi.Error) *abi.Error {
	out := *e
	out.Message, out.Hint = termtext.Clean(e.Message), termtext.Clean(e.Hint)
	out.Problems = nil
	for _, p := range e.Problems {
		out.Problems = append(out.Problems, abi.Problem{
			Pointer: p.Pointer, Key: p.Key, Message: termtext.Line(p.Message, 1000), Hint: termtext.Clean(p.Hint),
		})
	}
	if out.Message == "" {
		out.Message = "the provider gave no reason"
	}
	if out.ExitCode < 0 || out.ExitCode > 255 {
		out.ExitCode = 0
	}
	return &out
}
