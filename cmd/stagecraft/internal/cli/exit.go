package cli

import (
	"context"
	"errors"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/backend"
	"github.com/stagecraft-dev/stagecraft/runtime/config"
	"github.com/stagecraft-dev/stagecraft/runtime/provider"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

// The exit codes; docs/cli.md has the same table.
const (
	ExitDone        = 0
	ExitFailed      = 1   // the provider or an operation failed; dev: the child's own code
	ExitDenied      = 3   // denied by policy
	ExitProvider    = 4   // the provider can't be used: missing, of another ABI, no Wasm
	ExitTimeout     = 5   // a time ran out
	ExitEngine      = 6   // no engine
	ExitConfig      = 78  // the configuration is wrong
	ExitUsage       = 80  // the command line is wrong
	ExitInterrupted = 130 // interrupted
)

// exitCode is the one place where an error becomes an exit code.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return ExitDone
	}
	if isRefusal(err) {
		return ExitDenied
	}
	if isUsageError(err) {
		return ExitUsage
	}
	if isConfigError(err) {
		return ExitConfig
	}
	if isProviderError(err) {
		return ExitProvider
	}
	if _, ok := errors.AsType[*sandbox.LimitError](err); ok {
		return ExitTimeout
	}
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return codeOf(e)
	}
	if ctx.Err() != nil {
		return ExitInterrupted
	}
	return ExitFailed
}

// isRefusal tells whether a policy, the lock file or the user said no, or what
// restricts the next run changed where nothing may.
func isRefusal(err error) bool {
	if _, ok := errors.AsType[*session.DeniedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*session.UntrustedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*session.RefusedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*session.ChangedError](err); ok {
		return true
	}
	e, ok := errors.AsType[*session.PlanError](err)
	return errors.Is(err, errWouldBeDenied) || ok && e.Other
}

// isUsageError tells whether the command line is wrong, or wants what the run
// cannot do.
func isUsageError(err error) bool {
	if _, ok := errors.AsType[*usageError](err); ok {
		return true
	}
	_, ok := errors.AsType[*session.FlagError](err)
	return ok
}

func codeOf(e *abi.Error) int {
	if e.ExitCode != 0 {
		return e.ExitCode
	}
	switch e.Code {
	case abi.CodeInvalid:
		if len(e.Problems) > 0 {
			return ExitConfig
		}
	case abi.CodeDenied:
		return ExitDenied
	case abi.CodeTimeout:
		return ExitTimeout
	case abi.CodeUnavailable:
		return ExitEngine
	case abi.CodeInterrupted:
		return ExitInterrupted
	}
	return ExitFailed
}

func isConfigError(err error) bool {
	if _, ok := errors.AsType[yamldoc.Problems](err); ok {
		return true
	}
	if _, ok := errors.AsType[*session.PlanError](err); ok {
		return true
	}
	_, ok := errors.AsType[*config.NotFoundError](err)
	return ok
}

func isProviderError(err error) bool {
	if _, ok := errors.AsType[*provider.UnusableError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*unknownProviderError](err); ok {
		return true
	}
	_, ok := errors.AsType[*backend.ContractError](err)
	return ok
}

// outcome is how a run ended, in a word and with its exit code, for the audit
// log.
func outcome(ctx context.Context, err error) (string, int) {
	code := exitCode(ctx, err)
	switch {
	case err == nil:
		return "done", code
	case code == ExitDenied:
		return "denied", code
	case ctx.Err() != nil:
		return "interrupted", code
	}
	return "failed", code
}

// usageError says what is wrong on the command line, where the grammar can't.
// Without a hint the command's help is named.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// Hint says what to do about it.
func (e *usageError) Hint() string { return e.hint }

// isKnownEnd tells whether an error is no news to the user: what the output
// says already, or after an interrupt the word that there was one, or a child's
// own exit code.
func isKnownEnd(ctx context.Context, err error) bool {
	if errors.Is(err, errDiffers) || errors.Is(err, errWouldBeDenied) || errors.Is(err, errFound) {
		return true
	}
	if ctx.Err() == nil {
		return false
	}
	e, ok := errors.AsType[*abi.Error](err)
	return errors.Is(err, context.Cause(ctx)) || ok && (e.ExitCode != 0 || e.Code == abi.CodeInterrupted)
}
