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
	"errors"
	"strconv"

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
	Dev(ctx Context, opts DevOptions) error
	BuildDocker(ctx Context, opts BuildDockerOptions) (string, error)
}

// Describer is a Provider with a description: version, configuration schema, and the
// capabilities that it asks for. An empty ID and ABI are filled in.
type Describer interface {
	Describe() abi.Description
}

// Validator is a Provider that can check its configuration without running
// anything.
type Validator interface {
	Validate(ctx Context, opts ValidateOptions) error
}

// DetectOptions has the project directory, and the configuration if there is one.
type DetectOptions = abi.DetectOptions

// Detector is a Provider that proposes configurations for a project without one. Only
// ReadFile, Stat, List and Log work meanwhile. A Provider without it proposes nothing.
type Detector interface {
	Detect(ctx Context, opts DetectOptions) ([]abi.Candidate, error)
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
	return abi.NewError(abi.CodeInvalid, "a module registers one provider, once: look for a second backend.Register, or one with nil")
}
func (broken) ID() string                      { return "" }
func (b broken) Dev(Context, DevOptions) error { return b.err() }
func (b broken) BuildDocker(Context, BuildDockerOptions) (string, error) {
	return "", b.err()
}

// Handle answers one call of an export of p with a reply in JSON, as the exports of a
// module do. Tests use it to test a provider without Wasm.
func Handle(ctx Context, p Provider, export string, input []byte) []byte {
	reply := answer(ctx, p, export, input)
	data, err := abi.Encode(&reply)
	if err != nil {
		return []byte(`{"error":{"code":"failed","message":"the reply is not JSON"}}`)
	}
	return data
}

func answer(ctx Context, p Provider, export string, input []byte) abi.Reply {
	result, err := dispatch(ctx, p, export, input)
	if err != nil {
		return abi.Reply{Error: asError(err)}
	}
	ok, err := abi.Encode(result)
	return abi.Reply{OK: ok, Error: asError(err)}
}

func dispatch(ctx Context, p Provider, export string, input []byte) (result abi.Object, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = abi.NewError(abi.CodeFailed, "panic: "+reason(r))
		}
	}()
	if p == nil {
		return nil, abi.NewError(abi.CodeInvalid, "the module registers no provider: call backend.Register in an init function")
	}
	result = new(abi.Empty)
	switch export {
	case abi.ExportDescribe:
		d := describe(p)
		return &d, nil
	case abi.ExportValidate:
		var o ValidateOptions
		v, ok := p.(Validator)
		if err := decode(input, &o); err != nil || !ok {
			return result, err
		}
		return result, v.Validate(ctx, o)
	case abi.ExportDev:
		var o DevOptions
		if err := decode(input, &o); err != nil {
			return nil, err
		}
		return result, p.Dev(ctx, o)
	case abi.ExportBuildDocker:
		var o BuildDockerOptions
		if err := decode(input, &o); err != nil {
			return nil, err
		}
		image, err := p.BuildDocker(ctx, o)
		return &abi.BuildDockerResult{Image: image}, err
	case abi.ExportDetect:
		var o DetectOptions
		d, ok := p.(Detector)
		if err := decode(input, &o); err != nil || !ok {
			return result, err
		}
		candidates, err := d.Detect(ctx, o)
		return &abi.DetectResult{Candidates: candidates}, err
	}
	return nil, abi.NewError(abi.CodeInvalid, "no export "+strconv.Quote(export))
}

// reason returns what a panic says, without package fmt.
func reason(r any) string {
	switch r := r.(type) {
	case error:
		return r.Error()
	case string:
		return r
	}
	return "a value that is neither an error nor a string"
}

func decode(input []byte, options abi.Object) error {
	if err := abi.Unmarshal(input, options); err != nil {
		return abi.NewError(abi.CodeInvalid, "options: "+err.Error())
	}
	return nil
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
