package main

import (
	"errors"
	"regexp"
	"sync"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

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
		return "nobody is logged in; to log in, run: encore auth login"
	case offline().MatchString(e.Output):
		return "Encore's platform cannot be reached"
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
