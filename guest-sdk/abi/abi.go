// Package abi is the contract between a provider and its host: the names of
// exports and operations, the JSON that crosses, and the words for what went
// wrong. Both sides import it; it imports the standard library only.
//
// A provider is an Extism plug-in. It exports the functions named Export...,
// each taking a JSON document as Extism input and giving a [Reply] as Extism
// output. It imports one function an operation, in Extism's user namespace,
// named by [ImportName]: each takes and returns the offset of a JSON document
// in Extism's memory, a request and a [Reply].
package abi

import (
	"encoding/json"
	"fmt"
)

// Version is the version of this contract. A provider says in its
// [Description] which one it was built for; a host runs only its own.
const Version = 1

// ImportNamespace is the Wasm module name of all operations.
const ImportNamespace = "extism:host/user"

// The functions that a provider exports.
const (
	ExportDescribe    = "describe"     // nothing -> Description
	ExportValidate    = "validate"     // ValidateOptions -> nothing
	ExportDev         = "dev"          // DevOptions -> nothing
	ExportBuildDocker = "build_docker" // BuildDockerOptions -> BuildDockerResult
)

// Exports lists the functions that every provider has, sorted.
func Exports() []string {
	return []string{ExportBuildDocker, ExportDescribe, ExportDev, ExportValidate}
}

// The operations that a host offers.
const (
	OpDockerBuild  = "docker_build"
	OpDockerImage  = "docker_image"
	OpEnvStatus    = "env_status"
	OpExec         = "exec"
	OpList         = "list"
	OpLog          = "log"
	OpProbe        = "probe"
	OpProcessStart = "process_start"
	OpProcessStop  = "process_stop"
	OpProcessWait  = "process_wait"
	OpReadFile     = "read_file"
	OpStat         = "stat"
)

// Operations lists the operations of this version, sorted.
func Operations() []string {
	return []string{
		OpDockerBuild, OpDockerImage, OpEnvStatus, OpExec, OpList, OpLog, OpProbe, OpProcessStart, OpProcessStop, OpProcessWait, OpReadFile, OpStat,
	}
}

// ImportName is the name under which a module imports an operation.
func ImportName(operation string) string { return "stagecraft_" + operation }

// Sizes, in bytes, of what may cross in one call. A larger document is
// answered with [CodeTooLarge].
const (
	MaxRequest = 1 << 20
	MaxReply   = 8 << 20
)

// Reply is the answer to every call, in either direction: exactly one of its
// fields is set.
type Reply struct {
	OK    json.RawMessage `json:"ok,omitempty"`
	Error *Error          `json:"error,omitempty"`
}

// Code is a stable word for the kind of an error.
type Code string

// The codes of version 1.
const (
	CodeDenied      Code = "denied"      // the policy does not allow it
	CodeInvalid     Code = "invalid"     // the request or the configuration is wrong
	CodeNotFound    Code = "not_found"   // a program, file or variable is missing
	CodeFailed      Code = "failed"      // it was tried and did not work
	CodeTimeout     Code = "timeout"     // its time ran out
	CodeInterrupted Code = "interrupted" // the user or the system ended the run
	CodeUnavailable Code = "unavailable" // what it needs, such as an engine, isn't there
	CodeTooLarge    Code = "too_large"   // a limit on size or number was reached
)

// Error is what went wrong, for a program by Code and for a person by the
// rest.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Hint says what to do about it; it may have several lines.
	Hint string `json:"hint,omitempty"`
	// Reason is a stable word of the provider's own, for programs that know it.
	Reason string `json:"reason,omitempty"`
	// Output is the end of what a program printed, where that says more.
	Output string `json:"output,omitempty"`
	// OutputShown says that the user has seen Output as it was printed, so that it
	// need not be shown again.
	OutputShown bool `json:"output_shown,omitempty"`
	// Source is the part of a file that the error is about, with its place and the
	// numbers of its lines.
	Source string `json:"source,omitempty"`
	// ExitCode is the exit status that the run should end with, 1 to 255; 0
	// leaves it to the host.
	ExitCode int `json:"exit_code,omitempty"`
	// Field is what is wrong of a request, with CodeInvalid, if it is one field
	// that a provider took from the configuration: dir, context or dockerfile.
	Field string `json:"field,omitempty"`
	// Option is the field of [BuildDockerOptions] that cannot be carried out, with
	// CodeInvalid: one of those that [Description.BuildOptions] lists.
	Option string `json:"option,omitempty"`
	// Problems are the places of the configuration that are wrong, with
	// CodeInvalid. The host adds file, line and column to each.
	Problems []Problem `json:"problems,omitempty"`
}

// Error gives the message alone; the hint is for whoever prints it.
func (e *Error) Error() string { return e.Message }

// Problem is one wrong place in a provider's configuration.
type Problem struct {
	// Pointer is a JSON pointer (RFC 6901) into the provider's part of the
	// configuration, such as /dev/command/0.
	Pointer string `json:"pointer"`
	// Key says that it is the key at Pointer that is wrong, not its value.
	Key     bool   `json:"key,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Errorf makes an Error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
