package main

import (
	"errors"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// The reasons of errors: stable words for who reads them by a program.
const (
	providerNotAvailable = "PROVIDER_NOT_AVAILABLE" // the encore command is missing
	configInvalid        = "INVALID_CONFIG"
	invalidProject       = "INVALID_PROJECT"
	secretSyncFailed     = "SECRET_SYNC_FAILED"
	devServerFailed      = "DEV_SERVER_FAILED"
	buildFailed          = "BUILD_FAILED"
)

func invalidConfig(err error) error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		e.Reason = configInvalid
	}
	return err
}

// failed is an error of this provider's own.
func (r *run) failed(reason, message string) *abi.Error {
	return &abi.Error{Code: abi.CodeFailed, Reason: reason, Message: message}
}

// failure gives an operation's error a reason: one that a policy, the user or
// the system gave keeps its code, and a missing encore is told as such.
func (r *run) failure(reason, what string, err error) error {
	e, ok := errors.AsType[*abi.Error](err)
	if !ok {
		return err
	}
	out := *e
	out.Reason = reason
	switch e.Code {
	case abi.CodeDenied, abi.CodeInterrupted:
		out.Reason = ""
	case abi.CodeNotFound:
		if strings.Contains(e.Message, "encore") {
			out.Reason = providerNotAvailable
			out.Message = "the encore command is not installed: " + e.Message
			out.Hint = "install it, see https://encore.dev/docs/ts/install, and have it in PATH"
			return &out
		}
		fallthrough
	default:
		out.Message = what + ": " + e.Message
	}
	if e.Field == "dir" {
		out.Reason = invalidProject
	}
	return &out
}

func interrupted(what string) error { return abi.Errorf(abi.CodeInterrupted, "%s: interrupted", what) }

// endLines is how much of an output an error shows.
const endLines = 12

// end is the end of an output.
func end(output string) string {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-endLines):], "\n")
}
