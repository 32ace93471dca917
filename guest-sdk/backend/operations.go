package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Host executes operations. A module's host is the program that runs it; tests bring
// their own with [WithHost].
type Host interface {
	// Call executes one operation: a request in, a reply out, both in JSON.
	Call(ctx context.Context, operation string, request []byte) (reply []byte)
}

type hostKey struct{}

// WithHost returns a context whose operations go to h. It is for tests outside Wasm: in
// a module, operations always go to the module's host.
func WithHost(ctx context.Context, h Host) context.Context {
	return context.WithValue(ctx, hostKey{}, h)
}

// Exec runs a program and waits for its end. It returns an error if the program could
// not run or is not allowed, but not for an exit status other than 0.
func Exec(ctx context.Context, req abi.ExecRequest) (abi.ExecResult, error) {
	return call[abi.ExecResult](ctx, abi.OpExec, hostExec, req)
}

// Run is [Exec], but returns an [*ExitError] for an exit status other than 0, and an
// [*abi.Error] with [abi.CodeInterrupted] if an interrupt ended the program.
func Run(ctx context.Context, req abi.ExecRequest) (abi.ExecResult, error) {
	res, err := Exec(ctx, req)
	if err != nil || res.ExitCode == 0 {
		return res, err
	}
	how := fmt.Sprintf("exit status %d", res.ExitCode)
	if res.Signal != "" {
		how = "ended by " + res.Signal
	}
	if res.Interrupted && res.Signal != "" {
		return res, abi.Errorf(abi.CodeInterrupted, "%s: %s", req.Argv[0], how)
	}
	return res, &ExitError{Message: fmt.Sprintf("%s: %s", req.Argv[0], how), Code: res.ExitCode}
}

// Start starts a program without waiting for its end.
func Start(ctx context.Context, req abi.ProcessStartRequest) (id int, err error) {
	res, err := call[abi.ProcessStartResult](ctx, abi.OpProcessStart, hostProcessStart, req)
	return res.ID, err
}

// Wait waits until something happens to one of the started programs, or the
// run is asked to end.
func Wait(ctx context.Context, req abi.ProcessWaitRequest) (abi.ProcessWaitResult, error) {
	return call[abi.ProcessWaitResult](ctx, abi.OpProcessWait, hostProcessWait, req)
}

// Stop ends a started program and all that it started.
func Stop(ctx context.Context, req abi.ProcessStopRequest) (abi.ProcessExit, error) {
	return call[abi.ProcessExit](ctx, abi.OpProcessStop, hostProcessStop, req)
}

// Probe reports whether something answers on this machine's loopback.
func Probe(ctx context.Context, req abi.ProbeRequest) (abi.ProbeResult, error) {
	return call[abi.ProbeResult](ctx, abi.OpProbe, hostProbe, req)
}

// DockerBuild builds an image with the host's engine. The value of a secret is an
// [abi.EnvRef], which the host resolves. If the engine does not support something, the
// error is an [abi.CodeInvalid] with the request's field.
func DockerBuild(ctx context.Context, req abi.DockerBuildRequest) (abi.DockerBuildResult, error) {
	return call[abi.DockerBuildResult](ctx, abi.OpDockerBuild, hostDockerBuild, req)
}

// Image finds an image in the host's engine, by its reference.
func Image(ctx context.Context, reference string) (abi.DockerImageResult, error) {
	return call[abi.DockerImageResult](ctx, abi.OpDockerImage, hostDockerImage, abi.DockerImageRequest{Image: reference})
}

// ReadFile returns a file's content, up to [abi.MaxFile] bytes.
func ReadFile(ctx context.Context, path string) ([]byte, error) {
	res, err := call[abi.ReadFileResult](ctx, abi.OpReadFile, hostReadFile, abi.PathRequest{Path: path})
	return res.Data, err
}

// Stat describes a file or directory.
func Stat(ctx context.Context, path string) (abi.FileInfo, error) {
	return call[abi.FileInfo](ctx, abi.OpStat, hostStat, abi.StatRequest{Path: path})
}

// GitFileAbove reports whether the nearest .git above the project directory is a file,
// as in a worktree or a submodule. It needs the right to read .git in the project
// directory.
func GitFileAbove(ctx context.Context) (bool, error) {
	_, err := call[abi.FileInfo](ctx, abi.OpStat, hostStat, abi.StatRequest{Path: ".git", Above: true})
	if e, ok := errors.AsType[*abi.Error](err); ok && e.Code == abi.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// List returns a directory's content, sorted by name.
func List(ctx context.Context, path string) ([]abi.FileInfo, error) {
	res, err := call[abi.ListResult](ctx, abi.OpList, hostList, abi.PathRequest{Path: path})
	return res.Entries, err
}

// EnvStatus reports which variables are set on the host, without their values.
func EnvStatus(ctx context.Context, names ...string) (map[string]abi.EnvState, error) {
	return EnvStatusIn(ctx, nil, names...)
}

// EnvStatusIn is [EnvStatus] with dotenv files, which take precedence over the host's
// environment.
func EnvStatusIn(ctx context.Context, files []string, names ...string) (map[string]abi.EnvState, error) {
	res, err := call[abi.EnvStatusResult](ctx, abi.OpEnvStatus, hostEnvStatus, abi.EnvStatusRequest{Names: names, Files: files})
	return res.States, err
}

// Logf shows a message to the user. It ignores errors of the host.
func Logf(ctx context.Context, level abi.Level, format string, args ...any) {
	_, _ = call[abi.Empty](ctx, abi.OpLog, hostLog, abi.LogRequest{Level: level, Message: fmt.Sprintf(format, args...)})
}

// importFunc is an imported function: its argument is the offset of a request in
// Extism's memory, its result that of a reply. Each is named only where it is used, so
// that the linker drops those that a provider cannot reach: its imports show all that
// it could ever do.
type importFunc = func(offset uint64) uint64

func call[R any](ctx context.Context, operation string, imported importFunc, request any) (R, error) {
	var result R
	data, err := json.Marshal(request)
	if err != nil {
		return result, abi.Errorf(abi.CodeInvalid, "%s: %v", operation, err)
	}
	answer, err := transport(ctx, operation, imported, data)
	if err != nil {
		return result, err
	}
	var reply abi.Reply
	if err := json.Unmarshal(answer, &reply); err != nil {
		return result, abi.Errorf(abi.CodeFailed, "%s: the host's reply is not JSON: %v", operation, err)
	}
	if reply.Error != nil {
		return result, reply.Error
	}
	if err := json.Unmarshal(reply.OK, &result); err != nil {
		return result, abi.Errorf(abi.CodeFailed, "%s: the host's reply: %v", operation, err)
	}
	return result, nil
}
