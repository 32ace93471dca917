package backend

import (
	"errors"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// ExitError is the error of a Dev whose program ended with a status that isn't
// 0. Returned from Dev, the program's status becomes stagecraft's own.
type ExitError struct {
	// Message says what ended and how.
	Message string
	// Code is the program's exit status, 1 to 255.
	Code int
}

func (e *ExitError) Error() string { return e.Message }

// asError turns what an author's method returned into what crosses to the
// host. The text is the whole chain's; code, hint and problems are those of
// the first [abi.Error] in it.
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
