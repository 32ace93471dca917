// Package log has the operation by which a provider shows messages to the user.
package log

import (
	"context"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// The most that a provider may log in one run.
const (
	maxBytes = 1 << 20
	maxLines = 10_000
)

// Operation is log. It passes the cleaned messages of a run to show.
func Operation(show func(level abi.Level, message string)) hostfuncs.Operation {
	l := &logger{show: show}
	return hostfuncs.Op[abi.LogRequest, abi.LogRequest, abi.Empty]{
		Name: abi.OpLog, Looks: true, Resolve: resolve, Do: l.log,
		Claim: func(abi.LogRequest) capability.Claim { return capability.Claim{Log: true} },
	}
}

func resolve(_ context.Context, q abi.LogRequest) (abi.LogRequest, error) {
	switch q.Level {
	case abi.LevelDebug, abi.LevelInfo, abi.LevelWarn:
	default:
		return q, abi.Errorf(abi.CodeInvalid, "log: level %q is none of debug, info, warn", q.Level)
	}
	q.Message = strings.TrimRight(termtext.Clean(q.Message), "\n")
	return q, nil
}

// logger counts what a run has logged. A module calls one operation after another,
// so it needs no lock.
type logger struct {
	show         func(level abi.Level, message string)
	bytes, lines int
	warned       bool
}

func (l *logger) log(_ context.Context, p abi.LogRequest) (abi.Empty, error) {
	l.bytes += len(p.Message)
	l.lines += 1 + strings.Count(p.Message, "\n")
	if l.bytes <= maxBytes && l.lines <= maxLines {
		l.show(p.Level, p.Message)
		return abi.Empty{}, nil
	}
	if !l.warned {
		l.warned = true
		l.show(abi.LevelWarn, "the provider logs too much; the rest is left out")
	}
	return abi.Empty{}, abi.Errorf(abi.CodeTooLarge, "log: a run can log %d lines and %d bytes", maxLines, maxBytes)
}
