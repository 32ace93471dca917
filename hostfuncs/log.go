package hostfuncs

import (
	"context"
	"strings"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
)

// What a provider may log in one run; a terminal is no place for more.
const (
	maxLogBytes = 1 << 20
	maxLogLines = 10_000
)

func logOp(w *World) Op[abi.LogRequest, abi.LogRequest, abi.Empty] {
	var budget logBudget
	return Op[abi.LogRequest, abi.LogRequest, abi.Empty]{
		Name:  abi.OpLog,
		Looks: true,
		Resolve: func(_ context.Context, q abi.LogRequest) (abi.LogRequest, error) {
			switch q.Level {
			case abi.LevelDebug, abi.LevelInfo, abi.LevelWarn:
			default:
				return q, abi.Errorf(abi.CodeInvalid, "log: level %q is none of debug, info, warn", q.Level)
			}
			q.Message = strings.TrimRight(termtext.Clean(q.Message), "\n")
			return q, nil
		},
		Claim: func(abi.LogRequest) capability.Claim { return capability.Claim{Log: true} },
		Do: func(_ context.Context, p abi.LogRequest) (abi.Empty, error) {
			fits, last := budget.take(p.Message)
			if last {
				w.Log(abi.LevelWarn, "the provider logs too much; the rest is left out")
			}
			if !fits {
				return abi.Empty{}, abi.Errorf(abi.CodeTooLarge, "log: a run can log %d lines and %d bytes", maxLogLines, maxLogBytes)
			}
			w.Log(p.Level, p.Message)
			return abi.Empty{}, nil
		},
	}
}

// logBudget counts what a run has logged. A module calls one operation after
// another, so it needs no lock.
type logBudget struct {
	bytes, lines int
	spent        bool
}

// take tells whether a message still fits, and whether it is the first that
// doesn't.
func (b *logBudget) take(message string) (fits, first bool) {
	b.bytes += len(message)
	b.lines += 1 + strings.Count(message, "\n")
	if b.bytes <= maxLogBytes && b.lines <= maxLogLines {
		return true, false
	}
	first = !b.spent
	b.spent = true
	return false, first
}
