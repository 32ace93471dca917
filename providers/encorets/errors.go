package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// The reasons of errors, stable words for programs.
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

// failed returns an error of this provider.
func (r *run) failed(reason, message string) *abi.Error {
	return &abi.Error{Code: abi.CodeFailed, Reason: reason, Message: message}
}

// failure adds a reason to an operation's error. Denials and interrupts stay as they are;
// a missing encore has a message of its own.
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

func interrupted(what string) error { return abi.NewError(abi.CodeInterrupted, what+": interrupted") }

// endLines is the number of lines of output in an error.
const endLines = 12

// end returns the end of an output.
func end(output string) string {
	lines := strings.Split(strings.TrimRight(output, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-endLines):], "\n")
}

// Encore's messages without a login, and without the network.
var (
	loggedOut = []string{"not logged in", "OAuth refresh token was invalid"}
	offline   = []string{
		"dial tcp", "no such host", "network is unreachable", "no route to host", "connection refused", "connection reset",
		"connection timed out", "i/o timeout", "TLS handshake timeout", "context deadline exceeded",
	}
)

func says(output string, messages []string) bool {
	return slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(output, m) })
}

// tolerated returns why optional secrets could not be set, "" for other errors.
func (r *run) tolerated(err error) string {
	if r.Dev.Secrets.Required == nil || *r.Dev.Secrets.Required {
		return ""
	}
	return unreachable(err)
}

// unreachable returns why Encore's platform could not be used: no login or no network. It
// returns "" for other errors.
func unreachable(err error) string {
	e, ok := errors.AsType[*abi.Error](err)
	switch {
	case !ok:
		return ""
	case e.Code == abi.CodeTimeout:
		return "encore did not end in time; check the network"
	case says(e.Output, loggedOut):
		return "not logged in; run: encore auth login"
	case says(e.Output, offline):
		return "cannot reach Encore's platform"
	}
	return ""
}

// hinted adds how to run without the platform, if it could not be used.
func hinted(err error) error {
	if why := unreachable(err); why != "" {
		e, _ := errors.AsType[*abi.Error](err)
		e.Hint = why + "\nto run the app without setting its secrets: dev.secrets.required: false"
	}
	return err
}
