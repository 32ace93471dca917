package main

import (
	"errors"
	"regexp"
	"strings"
	"sync"

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

// What encore says where nobody is logged in, and where there is no network.
var (
	loggedOut = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`not logged in|OAuth refresh token was invalid`) })
	offline   = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`dial tcp|no such host|network is unreachable|no route to host|connection (?:refused|reset|timed out)|i/o timeout|TLS handshake timeout|context deadline exceeded`)
	})
)

// tolerated says why secrets that are not required could not be set. It is empty
// for an error that counts.
func (r *run) tolerated(err error) string {
	if r.Dev.Secrets.Required == nil || *r.Dev.Secrets.Required {
		return ""
	}
	return unreachable(err)
}

// unreachable says why Encore's platform could not be asked: nobody is logged in,
// or there is no network. It is empty for every other error.
func unreachable(err error) string {
	e, ok := errors.AsType[*abi.Error](err)
	switch {
	case !ok:
		return ""
	case e.Code == abi.CodeTimeout:
		return "encore did not end in time; is there a network?"
	case loggedOut().MatchString(e.Output):
		return "not logged in; run: encore auth login"
	case offline().MatchString(e.Output):
		return "cannot reach Encore's platform"
	}
	return ""
}

// hinted says how to do without the platform where it could not be asked.
func hinted(err error) error {
	if why := unreachable(err); why != "" {
		e, _ := errors.AsType[*abi.Error](err)
		e.Hint = why + "\nto run the app without setting its secrets: dev.secrets.required: false"
	}
	return err
}
