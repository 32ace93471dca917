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
	ExitProvider    = 4   // the provider is unusable: missing, not Wasm, another ABI
	ExitTimeout     = 5   // a time limit was exceeded
	ExitEngine      = 6   // no engine answers
	ExitConfig      = 78  // the configuration is wrong
	ExitUsage       = 80  // the command line is wrong
	ExitInterrupted = 130 // interrupted
)

// exitCode maps an error to an exit code; nothing else does.
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return ExitDone
	case isRefusal(err):
		return ExitDenied
	case isUsageError(err):
		return ExitUsage
	case isConfigError(err):
		return ExitConfig
	case isProviderError(err):
		return ExitProvider
	case is[*sandbox.LimitError](err):
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

// is reports whether err is or wraps an E.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// isRefusal reports whether a policy, the lock file or the user refused, or a file
// that restricts the next run changed although it must not.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*session.PlanError](err)
	return ok && e.Other || errors.Is(err, errWouldBeDenied) || is[*session.DeniedError](err) ||
		is[*session.UntrustedError](err) || is[*session.RefusedError](err) || is[*session.ChangedError](err)
}

// isUsageError reports whether the command line is wrong, or asks for what the
// run cannot do.
func isUsageError(err error) bool { return is[*usageError](err) || is[*session.FlagError](err) }

func isConfigError(err error) bool {
	return is[yamldoc.Problems](err) || is[*session.PlanError](err) || is[*config.NotFoundError](err)
}

func isProviderError(err error) bool {
	return is[*provider.UnusableError](err) || is[*unknownProviderError](err) || is[*backend.ContractError](err)
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

// outcome names how a run ended, and its exit code, for the audit log.
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

// usageError is an error of the command line that kong cannot find. Without a
// hint the command's help is named.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// Hint says what to do about it.
func (e *usageError) Hint() string { return e.hint }

// Errors of commands whose output already says what is wrong.
var (
	errWouldBeDenied = errors.New("would be denied")
	errDiffers       = errors.New("differs")
	errFindings      = errors.New("findings")
)

// isShown reports whether the user knows of an error already: the output says it,
// or the user interrupted the run, or a command ended with its own exit code after
// that.
func isShown(ctx context.Context, err error) bool {
	if errors.Is(err, errDiffers) || errors.Is(err, errWouldBeDenied) || errors.Is(err, errFindings) || errors.Is(err, errNoCommand) {
		return true
	}
	if ctx.Err() == nil {
		return false
	}
	e, ok := errors.AsType[*abi.Error](err)
	return errors.Is(err, context.Cause(ctx)) || ok && (e.ExitCode != 0 || e.Code == abi.CodeInterrupted)
}
