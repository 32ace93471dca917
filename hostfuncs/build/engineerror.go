package build

import (
	"errors"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/buildkit"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/docker"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/internal/image"
)

// engineError gives an engine's errors their codes.
func engineError(err error) error {
	if e, ok := errors.AsType[*docker.UnavailableError](err); ok {
		return abi.Errorf(abi.CodeUnavailable, "%v", e)
	}
	if e, ok := errors.AsType[*buildkit.UnavailableError](err); ok {
		return abi.Errorf(abi.CodeUnavailable, "%v", e)
	}
	if e, ok := errors.AsType[*image.Error](err); ok {
		return abi.Errorf(abi.CodeFailed, "%v", e)
	}
	return err
}
