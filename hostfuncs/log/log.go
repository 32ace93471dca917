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

// The limits of a run.
const (
	maxBytes = 1 << 20
	maxLines = 10_000
)

// Operation returns log, which calls show with the cleaned messages of a run.
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
		return q, abi.Errorf(abi.CodeInvalid, "log: unknown level %q, expected debug, info or warn", q.Level)
	}
	q.Message = strings.TrimRight(termtext.Clean(q.Message), "\n")
	return q, nil
}

// logger counts the messages of a run. It needs no lock, because a module makes one call
// after another.
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
		l.show(abi.LevelWarn, "the provider logs too much; further messages are not shown")
	}
	return abi.Empty{}, abi.Errorf(abi.CodeTooLarge, "log: a run can log %d lines and %d bytes", maxLines, maxBytes)
}
