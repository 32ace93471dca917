package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Host carries out operations. A module's host is the program that runs it; a
// test brings its own with [WithHost].
type Host interface {
	// Call carries out one operation: a request's JSON in, a reply's out.
	Call(ctx context.Context, operation string, request []byte) (reply []byte)
}

type hostKey struct{}

// WithHost returns a context whose operations go to h. It is for tests of a
// provider outside Wasm; inside, the module's own host is always used.
func WithHost(ctx context.Context, h Host) context.Context {
	return context.WithValue(ctx, hostKey{}, h)
}

// Exec runs a program and waits for its end. That it ended with a status other
// than 0 is no error; that it could not be run, or may not be, is one.
func Exec(ctx context.Context, req abi.ExecRequest) (abi.ExecResult, error) {
	return call[abi.ExecResult](ctx, abi.OpExec, hostExec, req)
}

// Run is Exec for a program that should end well: another exit status is an
// [*ExitError], and an end by an interrupt's signal an [*abi.Error] with
// [abi.CodeInterrupted].
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

// Start starts a program and does not wait for its end.
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

// Probe asks whether something answers on this machine's loopback. That nothing
// does is no error.
func Probe(ctx context.Context, req abi.ProbeRequest) (abi.ProbeResult, error) {
	return call[abi.ProbeResult](ctx, abi.OpProbe, hostProbe, req)
}

// DockerBuild builds an image with the host's engine. The value of a secret is
// an [abi.EnvRef], which the host resolves. What the engine can't do is an
// [abi.CodeInvalid] that names the request's field.
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

// Stat tells of a file or directory.
func Stat(ctx context.Context, path string) (abi.FileInfo, error) {
	return call[abi.FileInfo](ctx, abi.OpStat, hostStat, abi.StatRequest{Path: path})
}

// GitFileAbove reports whether the project is below a worktree or a submodule:
// whether the nearest .git above its directory is a file. It needs the right to
// read .git in the project directory.
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

// EnvStatus tells which variables the host has, never their values.
func EnvStatus(ctx context.Context, names ...string) (map[string]abi.EnvState, error) {
	return EnvStatusIn(ctx, nil, names...)
}

// EnvStatusIn is EnvStatus with dotenv files, which come before the host's
// environment.
func EnvStatusIn(ctx context.Context, files []string, names ...string) (map[string]abi.EnvState, error) {
	res, err := call[abi.EnvStatusResult](ctx, abi.OpEnvStatus, hostEnvStatus, abi.EnvStatusRequest{Names: names, Files: files})
	return res.States, err
}

// Logf shows a message to the user. A host that does not take it is no error
// of the provider's.
func Logf(ctx context.Context, level abi.Level, format string, args ...any) {
	_, _ = call[abi.Empty](ctx, abi.OpLog, hostLog, abi.LogRequest{Level: level, Message: fmt.Sprintf(format, args...)})
}

// importFunc is an imported function: the offset of a request in Extism's
// memory in, that of a reply out. Each operation's is named where it is used,
// so that the linker keeps those that a provider can reach and no other: its
// list of imports then shows the most that it could ever do.
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
