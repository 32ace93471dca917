package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability"
	"github.com/stagecraft-dev/stagecraft/hostfuncs/capability/explain"
	"github.com/stagecraft-dev/stagecraft/internal/termtext"
	"github.com/stagecraft-dev/stagecraft/internal/yamldoc"
	"github.com/stagecraft-dev/stagecraft/runtime/sandbox"
	"github.com/stagecraft-dev/stagecraft/runtime/session"
)

const policyFile = session.PolicyFile

// failure is an error as it is shown to the user. --json prints it, so fields are
// only added.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Provider and Operation say whose error it is; Reason is the provider's
	// code for it, and Output the end of a program's output.
	Provider  string `json:"provider,omitempty"`
	Operation string `json:"operation,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Output    string `json:"output,omitempty"`
	// Source is the part of a file that caused the error.
	Source   string    `json:"source,omitempty"`
	Problems []problem `json:"problems,omitempty"`
	Denials  []denial  `json:"denials,omitempty"`
	// Allow is a policy with the missing rules.
	Allow string `json:"allow,omitempty"`
	// Changed are the files that restrict runs and changed during this one.
	Changed []session.ChangedFile `json:"changed,omitempty"`

	outputShown bool // while the program ran
}

type problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

type denial struct {
	Operation string `json:"operation"`
	Asked     string `json:"asked"`
	Reason    string `json:"reason"`
	Rule      string `json:"rule,omitempty"`
	// File, Line and Column are the rule that denies, or else the policy without
	// a rule that allows.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Allow is the policy that would allow this one call.
	Allow string `json:"allow,omitempty"`
}

func (p problem) line() string {
	where := yamldoc.Pos{File: p.File, Line: p.Line, Column: p.Column}.String()
	return joined(": ", where, p.Field, p.Message)
}

// joined joins the texts that are not empty.
func joined(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), separator)
}

// hinting is an error that says what to do about it.
type hinting interface {
	error
	Hint() string
}

// cleaned removes terminal control sequences, from JSON too, because JSON is also
// printed on terminals. Reason stays as it is: programs compare it.
func (f failure) cleaned() failure {
	for _, text := range []*string{&f.Message, &f.Hint, &f.Output, &f.Source, &f.Allow} {
		*text = termtext.Clean(*text)
	}
	for i := range f.Problems {
		p := &f.Problems[i]
		p.Message, p.Hint, p.Field = termtext.Clean(p.Message), termtext.Clean(p.Hint), termtext.Clean(p.Field)
	}
	for i := range f.Denials {
		d := &f.Denials[i]
		d.Asked, d.Reason, d.Allow = termtext.Clean(d.Asked), termtext.Clean(d.Reason), termtext.Clean(d.Allow)
	}
	return f
}

func failureOf(err error) failure {
	f := failure{Code: "failed", Message: err.Error()}
	if e, ok := errors.AsType[*abi.Error](err); ok {
		f.Code, f.Hint, f.Reason, f.Output = string(e.Code), e.Hint, e.Reason, e.Output
		f.Source, f.outputShown = e.Source, e.OutputShown
	}
	if e, ok := errors.AsType[*session.ProviderError](err); ok {
		f.Provider, f.Operation = e.Provider, e.Operation
		if len(e.Confined) > 0 {
			f.Hint = joined("\n", f.Hint, confinedHint(e))
		}
	}
	if isConfigError(err) {
		f.Code = "config"
	}
	if isProviderError(err) {
		f.Code = "provider"
	}
	if e, ok := errors.AsType[*sandbox.LimitError](err); ok {
		f.Code, f.Hint = string(abi.CodeTimeout), limitHint(e)
	}
	if e, ok := errors.AsType[hinting](err); ok {
		f.Hint = e.Hint()
	}
	if isUsageError(err) {
		f.Code = "usage"
	}
	if isRefusal(err) {
		f.Code = string(abi.CodeDenied)
	}
	if e, ok := errors.AsType[*session.RefusedError](err); ok {
		for _, r := range e.Refusals {
			f.Problems = append(f.Problems, problem{r.Pos.File, r.Pos.Line, r.Pos.Column, "", r.Message, r.Hint})
		}
	}
	if problems, ok := errors.AsType[yamldoc.Problems](err); ok {
		f.Code = "config"
		f.Problems = problemsOf(problems)
	}
	if e, ok := errors.AsType[*session.DeniedError](err); ok {
		f = explainDenied(e)
	}
	if e, ok := errors.AsType[*session.ChangedError](err); ok {
		f.Changed = e.Files
	}
	return f
}

// confinedHint names the policies that confined a failed command, which may have
// failed for another reason.
func confinedHint(e *session.ProviderError) string {
	command := session.CommandDev
	if e.Operation == abi.ExportBuildDocker {
		command = session.CommandBuild
	}
	return "commands are confined by " + strings.Join(e.Confined, " and ") +
		"; to see the rules they need, run: stagecraft policy learn " + command + " --allow"
}

func problemsOf(problems yamldoc.Problems) []problem {
	var out []problem
	for _, p := range problems {
		out = append(out, problem{p.Pos.File, p.Pos.Line, p.Pos.Column, p.Field, p.Message, p.Hint})
	}
	return out
}

// explainDenied puts the denials before the error that the provider returned.
func explainDenied(e *session.DeniedError) failure {
	f := failure{Code: string(abi.CodeDenied), Message: "the policy denied what the provider asked for"}
	if inner, ok := errors.AsType[*abi.Error](e.Err); e.Err != nil && (!ok || inner.Code != abi.CodeDenied) {
		f.Message = e.Err.Error()
	}
	f.Denials = denialsOf(e)
	if grants := e.Grants(); len(grants) > 0 {
		f.Allow = allow(e.Denials[0].Provider, grants)
	}
	return f
}

// A call may have a megabyte, and a run fifty of them: too much to read.
const (
	maxAsked = 2000     // of a call, and of each reason, in characters
	maxAllow = 64 << 10 // of the policy that would allow it, in bytes
)

// allow returns a policy with the grants, "" if that is too large.
func allow(provider string, grants []capability.Grant) string {
	if policy := explain.Snippet(provider, grants); len(policy) <= maxAllow {
		return policy
	}
	return ""
}

// cut shortens a text to maxAsked.
func cut(text string) string {
	if utf8.RuneCountInString(text) <= maxAsked {
		return text
	}
	return string([]rune(text)[:maxAsked-1]) + "…"
}

func denialsOf(e *session.DeniedError) []denial {
	var out []denial
	for _, rec := range e.Denials {
		out = append(out, newDenial(&rec))
	}
	return out
}

func newDenial(rec *session.Record) denial {
	reasons := rec.Reasons()
	for i, reason := range reasons {
		reasons[i] = cut(reason)
	}
	d := denial{
		Operation: rec.Operation, Asked: cut(rec.Claim.String()), Reason: strings.Join(reasons, "\n"), Rule: rec.Decision.Rule,
		File: rec.Decision.Pos.File, Line: rec.Decision.Pos.Line, Column: rec.Decision.Pos.Column,
	}
	if layer := rec.Decision.Layer; d.File == "" && (layer == capability.Project || layer == capability.Ceiling) {
		d.File = rec.Decision.Policy
	}
	if grants := rec.Grants(); len(grants) > 0 {
		d.Allow = allow(rec.Provider, grants)
	}
	return d
}

// unknownProviderError means that the user named an unknown provider.
type unknownProviderError struct {
	id  string
	ids []string
}

func (e *unknownProviderError) Error() string {
	return fmt.Sprintf("unknown provider %q", e.id)
}

// Hint lists the known ones.
func (e *unknownProviderError) Hint() string {
	hint := "providers: " + strings.Join(e.ids, ", ")
	if len(e.ids) == 0 {
		hint = `this stagecraft has no built-in providers: build it with "make build", or give a file`
	}
	if near := yamldoc.Nearest(e.id, e.ids); near != "" {
		hint = fmt.Sprintf("did you mean %q? ", near) + hint
	}
	return hint
}
