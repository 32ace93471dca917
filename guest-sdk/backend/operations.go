package backend

import (
	"errors"
	"strconv"

	"github.com/stagecraft-dev/stagecraft/guest-sdk/abi"
)

// Host executes operations. A module's host is the program that runs it; tests bring
// their own with [WithHost].
type Host interface {
	// Call executes one operation: a request in, a reply out, both in JSON.
	Call(ctx Context, operation string, request []byte) (reply []byte)
}

// hostKey is the key of the Host in a context.
type hostKey struct{}

// Exec runs a program and waits for its end. It returns an error if the program could
// not run or is not allowed, but not for an exit status other than 0.
func Exec(ctx Context, req abi.ExecRequest) (res abi.ExecResult, err error) {
	err = call(ctx, abi.OpExec, hostExec, &req, &res)
	return res, err
}

// Run is [Exec], but returns an [*ExitError] for an exit status other than 0, and an
// [*abi.Error] with [abi.CodeInterrupted] if an interrupt ended the program.
func Run(ctx Context, req abi.ExecRequest) (abi.ExecResult, error) {
	res, err := Exec(ctx, req)
	if err != nil || res.ExitCode == 0 {
		return res, err
	}
	how := "exit status " + strconv.Itoa(res.ExitCode)
	if res.Signal != "" {
		how = "ended by " + res.Signal
	}
	if res.Interrupted && res.Signal != "" {
		return res, abi.NewError(abi.CodeInterrupted, req.Argv[0]+": "+how)
	}
	return res, &ExitError{Message: req.Argv[0] + ": " + how, Code: res.ExitCode}
}

// Start starts a program without waiting for its end.
func Start(ctx Context, req abi.ProcessStartRequest) (id int, err error) {
	var res abi.ProcessStartResult
	err = call(ctx, abi.OpProcessStart, hostProcessStart, &req, &res)
	return res.ID, err
}

// Watch watches files of the project. [Wait] returns their changes, and [Stop] ends the
// watch.
func Watch(ctx Context, req abi.WatchRequest) (id int, err error) {
	var res abi.WatchResult
	err = call(ctx, abi.OpWatch, hostWatch, &req, &res)
	return res.ID, err
}

// Wait waits until something happens to one of the started programs or to watched files,
// or the run is asked to end.
func Wait(ctx Context, req abi.ProcessWaitRequest) (res abi.ProcessWaitResult, err error) {
	err = call(ctx, abi.OpProcessWait, hostProcessWait, &req, &res)
	return res, err
}

// Stop ends a started program and all that it started, or a watch.
func Stop(ctx Context, req abi.ProcessStopRequest) (res abi.ProcessExit, err error) {
	err = call(ctx, abi.OpProcessStop, hostProcessStop, &req, &res)
	return res, err
}

// Ready tells the user that the backend is ready, and the URLs of its programs.
func Ready(ctx Context, processes ...abi.ReadyProcess) error {
	return call(ctx, abi.OpReady, hostReady, &abi.ReadyRequest{Processes: processes}, new(abi.Empty))
}

// Probe reports whether something answers on this machine's loopback.
func Probe(ctx Context, req abi.ProbeRequest) (res abi.ProbeResult, err error) {
	err = call(ctx, abi.OpProbe, hostProbe, &req, &res)
	return res, err
}

// DockerBuild builds an image with the host's engine. The value of a secret is an
// [abi.EnvRef], which the host resolves. If the engine does not support something, the
// error is an [abi.CodeInvalid] with the request's field.
func DockerBuild(ctx Context, req abi.DockerBuildRequest) (res abi.DockerBuildResult, err error) {
	err = call(ctx, abi.OpDockerBuild, hostDockerBuild, &req, &res)
	return res, err
}

// Image finds an image in the host's engine, by its reference.
func Image(ctx Context, reference string) (res abi.DockerImageResult, err error) {
	err = call(ctx, abi.OpDockerImage, hostDockerImage, &abi.DockerImageRequest{Image: reference}, &res)
	return res, err
}

// ReadFile returns a file's content, up to [abi.MaxFile] bytes.
func ReadFile(ctx Context, path string) ([]byte, error) {
	var res abi.ReadFileResult
	err := call(ctx, abi.OpReadFile, hostReadFile, &abi.PathRequest{Path: path}, &res)
	return res.Data, err
}

// Stat describes a file or directory.
func Stat(ctx Context, path string) (info abi.FileInfo, err error) {
	err = call(ctx, abi.OpStat, hostStat, &abi.StatRequest{Path: path}, &info)
	return info, err
}

// GitFileAbove reports whether the nearest .git above the project directory is a file,
// as in a worktree or a submodule. It needs the right to read .git in the project
// directory.
func GitFileAbove(ctx Context) (bool, error) {
	err := call(ctx, abi.OpStat, hostStat, &abi.StatRequest{Path: ".git", Above: true}, new(abi.FileInfo))
	if e, ok := errors.AsType[*abi.Error](err); ok && e.Code == abi.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// List returns a directory's content, sorted by name.
func List(ctx Context, path string) ([]abi.FileInfo, error) {
	var res abi.ListResult
	err := call(ctx, abi.OpList, hostList, &abi.PathRequest{Path: path}, &res)
	return res.Entries, err
}

// EnvStatus reports which variables are set on the host, without their values.
func EnvStatus(ctx Context, names ...string) (map[string]abi.EnvState, error) {
	return EnvStatusIn(ctx, nil, names...)
}

// EnvStatusIn is [EnvStatus] with dotenv files, which take precedence over the host's
// environment.
func EnvStatusIn(ctx Context, files []string, names ...string) (map[string]abi.EnvState, error) {
	var res abi.EnvStatusResult
	err := call(ctx, abi.OpEnvStatus, hostEnvStatus, &abi.EnvStatusRequest{Names: names, Files: files}, &res)
	return res.States, err
}

// Log shows a message to the user. It ignores errors of the host.
func Log(ctx Context, level abi.Level, message string) {
	_ = call(ctx, abi.OpLog, hostLog, &abi.LogRequest{Level: level, Message: message}, new(abi.Empty))
}

// importFunc is an imported function: its argument is the offset of a request in
// Extism's memory, its result that of a reply. Each is named only where it is used, so
// that the linker drops those that a provider cannot reach: its imports show all that
// it could ever do.
type importFunc = func(offset uint64) uint64

// call fills result, unless it returns an error.
func call(ctx Context, operation string, imported importFunc, request, result abi.Object) error {
	data, err := abi.Encode(request)
	if err != nil {
		return abi.NewError(abi.CodeInvalid, operation+": "+err.Error())
	}
	answer, err := transport(ctx, operation, imported, data)
	if err != nil {
		return err
	}
	var reply abi.Reply
	if err := abi.Unmarshal(answer, &reply); err != nil {
		return abi.NewError(abi.CodeFailed, operation+": the host's reply is not JSON: "+err.Error())
	}
	if reply.Error != nil {
		return reply.Error
	}
	if err := abi.Unmarshal(reply.OK, result); err != nil {
		return abi.NewError(abi.CodeFailed, operation+": the host's reply: "+err.Error())
	}
	return nil
}
