// Package abi is the contract between a provider and its host: the names of exports
// and operations, the JSON messages, and the codes of errors. Both sides import it; it
// imports only the standard library.
//
// A provider is an Extism plug-in. It exports the functions Export..., each with a JSON
// document as Extism input and a [Reply] as Extism output. It imports one function per
// operation from Extism's user namespace, named by [ImportName]. Its argument is the
// offset of a request in Extism's memory, its result that of a [Reply], both in JSON.
package abi

// Version is the version of this contract. A provider reports its version in its
// [Description]; a host runs only providers of its own version.
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

// Exports lists the functions that every provider exports, sorted.
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
	OpReady        = "ready"
	OpStat         = "stat"
	OpWatch        = "watch"
)

// Operations lists the operations of this version, sorted.
func Operations() []string {
	return []string{
		OpDockerBuild, OpDockerImage, OpEnvStatus, OpExec, OpList, OpLog, OpProbe, OpProcessStart, OpProcessStop, OpProcessWait, OpReadFile, OpReady, OpStat, OpWatch,
	}
}

// ImportName is the name under which a module imports an operation.
func ImportName(operation string) string { return "stagecraft_" + operation }

// The largest messages of one call, in bytes. The answer to a larger one is
// [CodeTooLarge].
const (
	MaxRequest = 1 << 20
	MaxReply   = 8 << 20
)

// Reply is the answer to every call, in either direction. Exactly one field is set.
type Reply struct {
	OK    JSON   `json:"ok,omitempty"`
	Error *Error `json:"error,omitempty"`
}

// Code is the kind of an error, a stable word.
type Code string

// The codes of version 1.
const (
	CodeDenied      Code = "denied"      // the policy does not allow it
	CodeInvalid     Code = "invalid"     // the request or the configuration is wrong
	CodeNotFound    Code = "not_found"   // a program, file or variable is missing
	CodeFailed      Code = "failed"      // it was tried and did not work
	CodeTimeout     Code = "timeout"     // its time ran out
	CodeInterrupted Code = "interrupted" // the user or the system ended the run
	CodeUnavailable Code = "unavailable" // something required is missing, such as an engine
	CodeTooLarge    Code = "too_large"   // a limit of size or number was reached
)

// Error is an error. Code is for programs, most other fields are for people.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Hint says what to do; it may have several lines.
	Hint string `json:"hint,omitempty"`
	// Reason is a stable word of the provider's own, for programs that know it.
	Reason string `json:"reason,omitempty"`
	// Output is the end of a program's output, if it says more.
	Output string `json:"output,omitempty"`
	// OutputShown means that the user has already seen Output.
	OutputShown bool `json:"output_shown,omitempty"`
	// Source is an excerpt of the file with the error, with its place and line numbers.
	Source string `json:"source,omitempty"`
	// ExitCode is the exit status for the run, 1 to 255; 0 leaves it to the host.
	ExitCode int `json:"exit_code,omitempty"`
	// Field is the invalid field of a request, with CodeInvalid, if providers take it
	// from the configuration: dir, context, dockerfile, paths or ignore.
	Field string `json:"field,omitempty"`
	// Option is the field of [BuildDockerOptions] that the provider cannot apply, with
	// CodeInvalid. [Description.BuildOptions] lists it.
	Option string `json:"option,omitempty"`
	// Problems are the invalid values of the configuration, with CodeInvalid. The host
	// adds file, line and column to each.
	Problems []Problem `json:"problems,omitempty"`
}

// Error returns the message without the hint.
func (e *Error) Error() string { return e.Message }

// Problem is an invalid value in a provider's configuration.
type Problem struct {
	// Pointer is a JSON pointer (RFC 6901) to the value in the provider's configuration,
	// such as /dev/command/0.
	Pointer string `json:"pointer"`
	// Key means that the key at Pointer is invalid, not its value.
	Key     bool   `json:"key,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// NewError returns an Error.
func NewError(code Code, message string) *Error { return &Error{Code: code, Message: message} }
