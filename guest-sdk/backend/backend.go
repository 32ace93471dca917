// Package backend is for authors of providers. A provider is a type with three methods,
// registered in an init function:
//
//	type MyProvider struct{}
//
//	func (p *MyProvider) ID() string { return "my-provider" }
//	func (p *MyProvider) Dev(ctx context.Context, opts backend.DevOptions) error
//	func (p *MyProvider) BuildDocker(ctx context.Context, opts backend.BuildDockerOptions) (string, error)
//
//	func init() { backend.Register(&MyProvider{}) }
//	func main() {}
//
// Build it for GOOS=wasip1 GOARCH=wasm with -buildmode=c-shared. On other systems, such
// as in the provider's tests, the same code calls the [Host] in its context.
package backend

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// DevOptions has the configuration in JSON, the project directory and the variables for
// the provider's commands. Decode decodes the configuration and names each invalid
// field.
type DevOptions = abi.DevOptions

// BuildDockerOptions has the configuration, the project directory and the image's
// reference.
type BuildDockerOptions = abi.BuildDockerOptions

// ValidateOptions has the configuration to check.
type ValidateOptions = abi.ValidateOptions

// Provider is implemented by every provider. The user sees the whole error that a
// method returns.
type Provider interface {
	ID() string
	Dev(ctx context.Context, opts DevOptions) error
	BuildDocker(ctx context.Context, opts BuildDockerOptions) (string, error)
}

// Describer is a Provider with a description: version, configuration schema, and the
// capabilities that it asks for. An empty ID and ABI are filled in.
type Describer interface {
	Describe() abi.Description
}

// Validator is a Provider that can check its configuration without running
// anything.
type Validator interface {
	Validate(ctx context.Context, opts ValidateOptions) error
}

var registered Provider

// Register makes p the provider of this module. After a second call the module refuses
// to run.
func Register(p Provider) {
	if registered != nil || p == nil {
		registered = broken{}
		return
	}
	registered = p
}

// broken is the provider of a module that registered two, or nil.
type broken struct{}

func (broken) err() error {
	return abi.Errorf(abi.CodeInvalid, "a module registers one provider, once: look for a second backend.Register, or one with nil")
}
func (broken) ID() string                              { return "" }
func (b broken) Dev(context.Context, DevOptions) error { return b.err() }
func (b broken) BuildDocker(context.Context, BuildDockerOptions) (string, error) {
	return "", b.err()
}

// Handle answers one call of an export of p with a reply in JSON, as the exports of a
// module do. Tests use it to test a provider without Wasm.
func Handle(ctx context.Context, p Provider, export string, input []byte) []byte {
	result, err := dispatch(ctx, p, export, input)
	reply := abi.Reply{Error: asError(err)}
	if err == nil {
		if reply.OK, err = json.Marshal(result); err != nil {
			reply = abi.Reply{Error: asError(err)}
		}
	}
	data, err := json.Marshal(reply)
	if err != nil {
		return []byte(`{"error":{"code":"failed","message":"the reply is not JSON"}}`)
	}
	return data
}

func dispatch(ctx context.Context, p Provider, export string, input []byte) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = abi.Errorf(abi.CodeFailed, "panic: %v", r)
		}
	}()
	if p == nil {
		return nil, abi.Errorf(abi.CodeInvalid, "the module registers no provider: call backend.Register in an init function")
	}
	switch export {
	case abi.ExportDescribe:
		return describe(p), nil
	case abi.ExportValidate:
		return withOptions(input, func(o ValidateOptions) (any, error) {
			if v, ok := p.(Validator); ok {
				return abi.Empty{}, v.Validate(ctx, o)
			}
			return abi.Empty{}, nil
		})
	case abi.ExportDev:
		return withOptions(input, func(o DevOptions) (any, error) {
			return abi.Empty{}, p.Dev(ctx, o)
		})
	case abi.ExportBuildDocker:
		return withOptions(input, func(o BuildDockerOptions) (any, error) {
			image, err := p.BuildDocker(ctx, o)
			return abi.BuildDockerResult{Image: image}, err
		})
	}
	return nil, abi.Errorf(abi.CodeInvalid, "no export %q", export)
}

func withOptions[O any](input []byte, call func(O) (any, error)) (any, error) {
	var opts O
	if err := json.Unmarshal(input, &opts); err != nil {
		return nil, abi.Errorf(abi.CodeInvalid, "options: %v", err)
	}
	return call(opts)
}

func describe(p Provider) abi.Description {
	var d abi.Description
	if p, ok := p.(Describer); ok {
		d = p.Describe()
	}
	if d.ID == "" {
		d.ID = p.ID()
	}
	d.ABI = abi.Version
	return d
}

// ExitError is the error of a program that ended with a status other than 0. If Dev
// returns it, stagecraft ends with this status.
type ExitError struct {
	// Message says which program ended and how.
	Message string
	// Code is the program's exit status, 1 to 255.
	Code int
}

func (e *ExitError) Error() string { return e.Message }

// asError converts an author's error for the host. The message is the whole chain's;
// code, hint and problems are those of the first [abi.Error] in it.
func asError(err error) *abi.Error {
	if err == nil {
		return nil
	}
	out := abi.Error{Code: abi.CodeFailed}
	if inner, ok := errors.AsType[*abi.Error](err); ok {
		out = *inner
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		out.ExitCode = exit.Code
	}
	out.Message = err.Error()
	return &out
}
